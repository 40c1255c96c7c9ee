"""The data folder: where embedded mode keeps its database, messages, uploads and secret key."""

from __future__ import annotations

import os
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path


class HomeError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


def prepare(home: Path) -> None:
    """Make the data folder and its parts, readable by this user alone.

    Raises HomeError when the folder cannot be made or written to.
    """
    try:
        for folder in (home, home / "broker", home / "uploads", home / "tmp"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = home / "tmp" / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise HomeError(
            f"Cannot write to the data folder {home} ({error.strerror}). "
            "Make it writable, or set EVALHUB_HOME to a folder that is."
        ) from error


def secret_key(home: Path) -> str:
    """The installation's secret key, which signs sessions; the first call makes it."""
    return _kept(home / "secret_key", lambda: secrets.token_urlsafe(48))


def encryption_key(home: Path) -> str:
    """The key under which the keys of providers are encrypted; the first call makes it."""
    return _kept(
        home / "encryption_key", lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode()
    )


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file says (mode 0600); the first call writes what `make` gives."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise HomeError(f"Cannot read {path} ({error.strerror}).") from error
    prepare(path.parent)
    key = make()
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    try:
        os.link(partial, path)  # atomic, and fails when another process was first
    except FileExistsError:
        key = path.read_text().strip()
    finally:
        partial.unlink()
    return key
