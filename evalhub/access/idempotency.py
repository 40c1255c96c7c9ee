"""The header Idempotency-Key: a request that is sent again gets the first answer again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from evalhub.access.api_auth import Caller
from evalhub.access.models import IdempotencyKey
from evalhub.kit.clock import in_seconds
from evalhub.kit.errors import Invalid

HEADER = "Idempotency-Key"
MAX_LENGTH = 200
KEPT_SECONDS = 24 * 3600


def once(request: HttpRequest, caller: Caller, act: Callable[[], HttpResponse]) -> HttpResponse:
    """Do `act` and return its answer; with a key that was used before, return the first answer.

    The key, what `act` changes and the answer are one transaction. So a crash leaves nothing, an
    error leaves the key free, and of two requests at once the second waits for the first at the
    unique key. Raises Invalid when the key was used for another request. Keys are kept for a day.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return act()
    if not 1 <= len(key) <= MAX_LENGTH or not key.isprintable():
        raise Invalid(f"An {HEADER} is a text of 1 to {MAX_LENGTH} characters.")
    request_line = f"{request.method} {request.path}\n".encode()
    request_hash = hashlib.sha256(request_line + request.body).hexdigest()
    # On its own, so that no two requests hold each other's old keys until they end.
    IdempotencyKey.objects.filter(created_at__lt=in_seconds(-KEPT_SECONDS)).delete()
    with transaction.atomic():
        used, is_new = IdempotencyKey.objects.get_or_create(
            project=caller.project, key=key, defaults={"request_hash": request_hash}
        )
        if is_new:
            response = act()
            used.status, used.answer = response.status_code, response.text
            used.save(update_fields=["status", "answer"])
            return response
    if used.request_hash != request_hash:
        raise Invalid(f"This {HEADER} was used for another request. Take a new one.")
    return HttpResponse(used.answer, status=used.status, content_type="application/json")
