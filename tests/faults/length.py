"""The short form, which is part of `make test`, and the long one of `make faults` (FAULT_LONG=1)."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")
LONG = os.environ.get("FAULT_LONG") == "1"


def pick(*, short: T, long: T) -> T:
    """The value for the form that runs."""
    return long if LONG else short
