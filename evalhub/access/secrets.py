"""Random secrets that are shown once and kept as a hash (tokens, sign-in links). Pure."""

from __future__ import annotations

import hashlib
import secrets

TOKEN_PREFIX = "eh_"


def new_secret() -> str:
    """A fresh secret of 256 bits, as URL-safe text."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """The hash to store and look up by: SHA-256 is enough for 256 random bits (no guessing to
    slow).
    """
    return hashlib.sha256(secret.encode()).hexdigest()
