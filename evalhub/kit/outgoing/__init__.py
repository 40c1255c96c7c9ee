"""The one way out: HTTP calls that reach allowed addresses only and bring home bounded bodies."""

from typing import TYPE_CHECKING, Any

from evalhub.kit.outgoing.errors import OutgoingError

if TYPE_CHECKING:
    from evalhub.kit.outgoing.transport import Answer, Outgoing

__all__ = ["Answer", "Outgoing", "OutgoingError"]


def __getattr__(name: str) -> Any:
    """Answer and Outgoing, loaded when they are asked for: the web calls nobody."""
    if name not in __all__:
        raise AttributeError(f"{__name__} has no {name}")
    from evalhub.kit.outgoing import transport

    return getattr(transport, name)
