"""The Python client of evalhub, and its command line.

from evalhub_client import Client

with Client("https://evalhub.example.org", token="eh_...") as client:
    for dataset in client.list_datasets():
        print(dataset["name"], dataset["item_count"])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalhub_client.client import Client
    from evalhub_client.errors import ApiError, EvalhubClientError, ServerNotReached, WaitTimeout

__all__ = ["ApiError", "Client", "EvalhubClientError", "ServerNotReached", "WaitTimeout"]


def __getattr__(name: str) -> Any:
    """Names are imported when they are first used: `evalhub --help` needs no HTTP library."""
    if name == "Client":
        from evalhub_client.client import Client

        return Client
    if name in __all__:
        from evalhub_client import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
