"""`evalhub-server rotate-keys`: write every secret under the first encryption key."""

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models, transaction

from evalhub import local
from evalhub.home import HomeError
from evalhub.kit.errors import Unavailable
from evalhub.kit.vault import EncryptedTextField, rotate

BATCH = 500


class Command(BaseCommand):
    help = (
        "Encrypt every stored secret under the first of EVALHUB_ENCRYPTION_KEYS. Put the new key "
        "in front of the old one, restart, run this, and then take the old key away."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if local.unapplied():
                raise CommandError("There is no evalhub here yet. Start it once: make up")
        except HomeError as error:
            raise CommandError(str(error)) from error
        done = lost = 0
        for model in apps.get_models():
            for field in model._meta.local_fields:
                if isinstance(field, EncryptedTextField):
                    rotated, unreadable = _rotate(model, field.attname)
                    done, lost = done + rotated, lost + unreadable
        self.stdout.write(f"{done} secret{'' if done == 1 else 's'} encrypted under the first key.")
        if lost:
            raise CommandError(
                f"{lost} could not be decrypted and stay{'s' if lost == 1 else ''} as before: the "
                "key is missing from EVALHUB_ENCRYPTION_KEYS. Put it back and run this again."
            )


def _rotate(model: type[models.Model], field: str) -> tuple[int, int]:
    """Rotate one column, a batch a transaction. (How many, how many could not be decrypted.)"""
    rows = model._default_manager.exclude(**{field: None}).exclude(**{field: ""}).order_by("pk")
    done = lost = 0
    after: Any = None
    while True:
        with transaction.atomic():
            left = rows if after is None else rows.filter(pk__gt=after)
            # Locked, so that a key which somebody enters meanwhile is not overwritten by the old.
            batch = list(left.select_for_update().only("pk", field)[:BATCH])
            for row in batch:
                try:
                    token = rotate(getattr(row, field))
                except Unavailable:
                    lost += 1
                    continue
                model._default_manager.filter(pk=row.pk).update(**{field: token})
                done += 1
        if not batch:
            return done, lost
        after = batch[-1].pk
