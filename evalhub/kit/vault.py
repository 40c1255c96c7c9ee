"""Secrets at rest: a text field that is encrypted with Fernet under keys of its own.

The keys are apart from SECRET_KEY. The first one encrypts, all decrypt, so that a new key can be
put in front and `rotate_keys` can write everything under it before the old one goes.
"""

from __future__ import annotations

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from evalhub.kit.errors import Unavailable


def encrypt(text: str) -> str:
    """`text` under the first key."""
    return _fernet().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """What was encrypted. Raises Unavailable when none of the keys fits."""
    try:
        return _fernet().decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise Unavailable(
            "A stored key cannot be decrypted: it was encrypted under a key that is not in "
            "EVALHUB_ENCRYPTION_KEYS (or in encryption_key in the data folder). Put that key "
            "back, or enter the secret again."
        ) from error


def rotate(token: str) -> str:
    """The same secret under the first key. Raises Unavailable as `decrypt` does."""
    return encrypt(decrypt(token))


def _fernet() -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
    except ValueError as error:
        raise ImproperlyConfigured(
            "EVALHUB_ENCRYPTION_KEYS holds what is no Fernet key: 32 random bytes in URL-safe "
            "base64, such as `openssl rand -base64 32 | tr +/ -_` prints."
        ) from error


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """A text whose column holds it encrypted; "" is stored as it is.

    The model's attribute is the encrypted text, so that no listing, log or serialiser can show the
    secret by accident: `decrypt` it where it is used, `encrypt` it where it is set.
    """

    def get_prep_value(self, value: Any) -> Any:
        if value and not str(value).startswith("gAAAA"):  # how every Fernet token begins
            raise ValueError("An EncryptedTextField takes what `encrypt` gave.")
        return super().get_prep_value(value)
