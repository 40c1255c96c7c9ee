"""Saved targets as runs find them: by slug, by slug and version, or by name."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import F

from runs_app.models import SavedTarget, TargetVersion
from runs_app.targets.base import TargetInfo

_WITH_VERSION = re.compile(r"([-a-zA-Z0-9_]+)@(\d{1,9})")


def available(project_slug: str) -> list[TargetInfo]:
    """The project's saved targets at their newest version, by name; one query."""
    found = _versions(project_slug).filter(number=F("target__version"))
    return [_info(version) for version in found.order_by("target__name", "target__pk")]


def by_id(ref: str, project_slug: str) -> TargetInfo | None:
    """The target with this slug, or of "slug@3" its version 3; None when there is none."""
    match = _WITH_VERSION.fullmatch(ref)
    versions = _versions(project_slug)
    if match is None:
        found = versions.filter(target__slug=ref, number=F("target__version")).first()
    else:
        slug, number = match.groups()
        found = versions.filter(target__slug=slug, number=int(number)).first()
    return None if found is None else _info(found, pinned=match is not None)


def by_name(name: str, project_slug: str) -> TargetInfo | None:
    """The oldest target of this name at its newest version; None when there is none."""
    found = _versions(project_slug).filter(target__name=name, number=F("target__version"))
    version = found.order_by("target__pk").first()
    return None if version is None else _info(version)


def _versions(project_slug: str) -> Any:
    return TargetVersion.objects.filter(
        target__project__slug=project_slug, target__deleted_at=None
    ).select_related("target")


def _info(version: TargetVersion, *, pinned: bool = False) -> TargetInfo:
    target: SavedTarget = version.target
    return TargetInfo(
        ref=f"{target.slug}@{version.number}" if pinned else target.slug,
        id=target.slug,
        name=target.name,
        kind=target.kind,
        transport=target.transport,
        description=target.description,
        version=str(version.number),
        config=version.config,
    )
