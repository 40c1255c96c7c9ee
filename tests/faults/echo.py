"""The echo hash: what the target of the fault tests gives for an input, and for no other."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def echo(input: Any) -> str:
    """A short hash of the input, the same in the target and in whoever checks it."""
    return hashlib.sha256(json.dumps(input, sort_keys=True).encode()).hexdigest()[:24]
