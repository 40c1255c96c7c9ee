"""The short form, which is part of `make test`, and the long one of `make faults` (FAULT_LONG=1).

The short form has to end within a few minutes on both backends together. So it leaves some tests
out, and shows on one backend what does not depend on it.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

T = TypeVar("T")
LONG = os.environ.get("FAULT_LONG") == "1"
_ON_SERVERS = bool(os.environ.get("DATABASE_URL"))

long_form = pytest.mark.skipif(not LONG, reason="in the long form (make faults)")
short_on_sqlite = pytest.mark.skipif(
    not LONG and _ON_SERVERS, reason="on PostgreSQL in the long form (make faults)"
)
short_on_servers = pytest.mark.skipif(
    not LONG and not _ON_SERVERS, reason="on SQLite in the long form (make faults)"
)


def pick(*, short: T, long: T) -> T:
    """The value for the form that runs."""
    return long if LONG else short
