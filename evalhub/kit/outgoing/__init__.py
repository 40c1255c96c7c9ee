"""The one way out: HTTP calls that reach allowed addresses only and bring home bounded bodies."""

from evalhub.kit.outgoing.errors import OutgoingError
from evalhub.kit.outgoing.transport import Answer, Outgoing

__all__ = ["Answer", "Outgoing", "OutgoingError"]
