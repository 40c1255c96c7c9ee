"""Save, copy, restore and delete targets. Every change of the configuration is a new version."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from evalhub.access.actions import audit
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, FieldError, Invalid, NotFound
from evalhub.kit.json import JsonError, canonical
from evalhub.kit.slugs import free_slug
from runs_app import targets
from runs_app.models import SavedTarget, TargetVersion
from runs_app.targets.base import KINDS

TRANSPORTS = ("chat", "http", "python", "recorded", "scorer")
RESERVED = {"new", "field", "recordings", "test", "tests"}  # addresses below /targets/
MAX_CONFIG_CHARS = 400_000


def save_target(
    *,
    project: Project,
    name: str,
    kind: str,
    transport: str,
    config: dict[str, Any],
    by: User,
    description: str = "",
    message: str = "",
    target: SavedTarget | None = None,
) -> SavedTarget:
    """A new saved target, or a new version of `target`. The same configuration makes no version.

    Kind and transport of a target stay as they are. Raises Invalid with a pointer for every problem
    found, and NotFound when `target` has been deleted meanwhile.
    """
    name = " ".join(name.split())
    problems = _problems(name, kind, transport, description, message, target)
    checked: dict[str, Any] = {}
    if transport in TRANSPORTS:
        try:
            checked = _check_config(transport, config, project)
        except Invalid as error:
            problems += error.errors or [FieldError("/config", error.detail)]
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    if target is None:
        return _create(project, name, kind, transport, checked, description, message, by)
    return _update(target, name, checked, description, message, by)


def copy_target(*, target: SavedTarget, by: User) -> SavedTarget:
    """A new target with the newest configuration of `target`, at version 1."""
    newest = target.versions.get(number=target.version)
    return save_target(
        project=target.project,
        name=f"{target.name[:110]} (copy)",
        kind=target.kind,
        transport=target.transport,
        config=newest.config,
        description=target.description,
        message=f"Copied from {target.name} v{newest.number}",
        by=by,
    )


def restore_target(*, target: SavedTarget, number: int, by: User) -> SavedTarget:
    """Make the configuration of an old version the newest one. Raises NotFound, and Invalid when
    what it names is not there any more.
    """
    old = target.versions.filter(number=number).first()
    if old is None:
        raise NotFound(f"{target.name} has no version {number}.")
    return save_target(
        project=target.project,
        name=target.name,
        kind=target.kind,
        transport=target.transport,
        config=old.config,
        description=target.description,
        message=f"Restored v{number}",
        by=by,
        target=target,
    )


@transaction.atomic
def delete_target(*, target: SavedTarget, by: User) -> None:
    """Hide the target; its runs stay readable and keep their snapshot. Its slug is free again."""
    hidden = SavedTarget.objects.filter(pk=target.pk, deleted_at=None).update(deleted_at=Now())
    if hidden:
        audit(target.project, by, "target.deleted", target.slug, name=target.name)


def _problems(
    name: str,
    kind: str,
    transport: str,
    description: str,
    message: str,
    target: SavedTarget | None,
) -> list[FieldError]:
    problems = []
    if not 1 <= len(name) <= 120:
        problems.append(FieldError("/name", "Give the target a name of 1 to 120 characters."))
    if kind not in KINDS:
        detail = f"“{kind}” is no kind of target. Kinds: {', '.join(KINDS)}."
        problems.append(FieldError("/kind", detail))
    if transport not in TRANSPORTS:
        detail = f"There is no transport “{transport}”. Transports: {', '.join(TRANSPORTS)}."
        problems.append(FieldError("/transport", detail))
    if transport == "scorer" and kind != "scorer":
        problems.append(FieldError("/kind", "A built-in scorer is a target of the kind scorer."))
    if target is not None and (kind, transport) != (target.kind, target.transport):
        detail = "Kind and transport of a target stay as they are. Make a new target."
        problems.append(FieldError("/kind" if kind != target.kind else "/transport", detail))
    for field, text in (("description", description), ("message", message)):
        if len(text) > 500:
            problems.append(FieldError(f"/{field}", "Use 500 characters at most."))
    return problems


def _check_config(transport: str, config: dict[str, Any], project: Project) -> dict[str, Any]:
    checked = targets.check_config(transport, config, project.slug)
    try:
        size = len(canonical(checked))
    except JsonError as error:
        raise Invalid(f"{error.message}.", errors=[FieldError("/config", error.message)]) from error
    if size > MAX_CONFIG_CHARS:
        raise Invalid(f"The configuration has {size:,} characters, above {MAX_CONFIG_CHARS:,}.")
    return checked


def _create(
    project: Project,
    name: str,
    kind: str,
    transport: str,
    config: dict[str, Any],
    description: str,
    message: str,
    by: User,
) -> SavedTarget:
    try:
        with transaction.atomic():
            taken = set(project.targets.filter(deleted_at=None).values_list("slug", flat=True))
            target = SavedTarget.objects.create(
                project=project,
                slug=free_slug(name, "target", taken=taken, reserved=RESERVED),
                name=name,
                kind=kind,
                transport=transport,
                description=description.strip(),
                created_by=by,
            )
            TargetVersion.objects.create(
                target=target, number=1, config=config, message=message.strip(), author=by
            )
            audit(project, by, "target.created", target.slug, transport=transport)
    except IntegrityError as error:
        raise Conflict("Another target of this name is being saved. Try again.") from error
    target.refresh_from_db()
    return target


@transaction.atomic
def _update(
    target: SavedTarget,
    name: str,
    config: dict[str, Any],
    description: str,
    message: str,
    by: User,
) -> SavedTarget:
    locked = SavedTarget.objects.select_for_update(no_key=True)
    found: SavedTarget | None = locked.filter(pk=target.pk).first()
    if found is None or found.deleted_at is not None:
        raise NotFound(f"{target.name} has been deleted.")
    newest = found.versions.get(number=found.version)
    found.name, found.description = name, description.strip()
    if canonical(newest.config) != canonical(config):
        found.version += 1
        TargetVersion.objects.create(
            target=found,
            number=found.version,
            config=config,
            message=message.strip(),
            author=by,
        )
    found.save(update_fields=["name", "description", "version"])
    audit(found.project, by, "target.saved", found.slug, version=found.version)
    return found
