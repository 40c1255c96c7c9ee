"""What a dead worker or an absent-minded person left: imports to wake, uploads to remove."""

from __future__ import annotations

import shutil
import time
import uuid
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from datasets_app.models import ImportJob
from datasets_app.models.imports import ImportState
from evalhub.kit.dispatch import wake_now

KEEP_DAYS = 7
PRUNE_SECONDS = 3600
_SECONDS_A_DAY = 86_400

_pruned_at: float | None = None


def sweep() -> int:
    """Wake every import that nobody works on; returns how many. Once an hour, prune old uploads.

    Any number of sweepers may run at once: all that they do is idempotent.
    """
    global _pruned_at
    waiting = list(ImportJob.objects.claimable().values_list("pk", flat=True))
    for job_id in waiting:
        wake_now("datasets.import", job_id)
    if _pruned_at is None or time.monotonic() - _pruned_at > PRUNE_SECONDS:
        prune()
        _pruned_at = time.monotonic()
    return len(waiting)


def prune() -> int:
    """Remove uploads older than KEEP_DAYS that no import is at work on; returns how many.

    An import that was never applied becomes cancelled. The problems of one that ended are kept.
    """
    uploads = Path(settings.EVALHUB_HOME) / "uploads"
    if not uploads.is_dir():
        return 0
    _prune_half_uploads()
    before = time.time() - KEEP_DAYS * _SECONDS_A_DAY
    old = [folder for folder in uploads.iterdir() if _changed_at(folder) < before]
    return sum(_prune_folder(folder) for folder in old)


def _prune_half_uploads() -> None:
    """Remove what uploads left that broke off a day ago or more, with the web that took them."""
    for file in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"):
        if _changed_at(file) < time.time() - _SECONDS_A_DAY:
            file.unlink(missing_ok=True)


def _prune_folder(folder: Path) -> bool:
    try:
        job = ImportJob.objects.filter(uuid=uuid.UUID(folder.name)).first()
    except ValueError:
        return False  # not one of ours
    if job is None:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    idle = ImportJob.objects.filter(
        pk=job.pk, state__in=(ImportState.STAGED, ImportState.CHECKED)
    ).update(
        state=ImportState.CANCELLED,
        message=f"Not imported within {KEEP_DAYS} days, so the uploaded file was removed.",
        finished_at=Now(),
        lease_token=F("lease_token") + 1,
    )
    if idle:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    if job.active or not job.file.exists():
        return False
    job.file.unlink(missing_ok=True)
    return True


def _changed_at(folder: Path) -> float:
    """Seconds since 1970; now for a folder that is gone."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return time.time()
