"""The states of a run and which may follow which. Pure."""

from __future__ import annotations

PENDING, RUNNING = "pending", "running"
COMPLETED, FAILED, CANCELLED = "completed", "failed", "cancelled"

ACTIVE = (PENDING, RUNNING)
TERMINAL = (COMPLETED, FAILED, CANCELLED)
ALL = (*ACTIVE, *TERMINAL)


def outcome(succeeded: int, failed: int) -> tuple[str, str]:
    """Status and reason of a run whose results are all in: failed only when every result failed."""
    if failed and not succeeded:
        every = "The only result" if failed == 1 else f"Every one of the {failed:,} results"
        return FAILED, f"{every} is an error."
    return COMPLETED, ""


def all_there(counted: int, planned: int) -> bool:
    """The counting rule: work is done when its results have been counted, not when it was handed
    in.

    Shards and runs are closed by this rule alone; without it a write that comes late is lost in
    silence.
    """
    return counted == planned
