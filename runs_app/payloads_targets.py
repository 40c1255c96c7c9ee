"""Targets, their versions and recordings as the API's JSON."""

from __future__ import annotations

from typing import Any

from evalhub.kit.plugins import PluginError
from runs_app.models import Recording, SavedTarget, TargetVersion
from runs_app.saved_targets import NO_HEALTH, Health
from runs_app.targets import TargetInfo


def target_payload(target: TargetInfo, health: Health = NO_HEALTH) -> dict[str, Any]:
    """A target that runs can be started against; `ref` is what to name in the request."""
    return {
        "ref": target.ref,
        "id": target.id,
        "name": target.name,
        "kind": target.kind,
        "transport": target.transport,
        "description": target.description,
        "version": target.version,
        "health": health_payload(health),
    }


def saved_target_payload(
    target: SavedTarget, newest: TargetVersion, health: Health = NO_HEALTH
) -> dict[str, Any]:
    """A saved target with the configuration of its newest version."""
    return {
        "ref": target.slug,
        "id": target.slug,
        "name": target.name,
        "kind": target.kind,
        "transport": target.transport,
        "description": target.description,
        "version": str(target.version),
        "config": newest.config,
        "created_by": target.created_by.username if target.created_by else None,
        "created_at": target.created_at.isoformat(),
        "updated_at": newest.created_at.isoformat(),
        "health": health_payload(health),
    }


def target_version_payload(version: TargetVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "config": version.config,
        "message": version.message,
        "author": version.author.username if version.author else None,
        "created_at": version.created_at.isoformat(),
    }


def health_payload(health: Health) -> dict[str, Any]:
    """How a target did in its newest runs: `ok` is the share of results without an error."""
    return {
        "state": health.state,
        "runs": health.runs,
        "results": health.results,
        "ok": health.share,
        "p50_ms": health.p50_ms,
        "last_at": health.last_at.isoformat() if health.last_at else None,
    }


def broken_payload(problem: PluginError) -> dict[str, str]:
    """A plug-in that could not be loaded. Where it failed is told on the page alone."""
    return {"module": problem.module, "error": problem.error}


def recording_payload(recording: Recording) -> dict[str, Any]:
    """Uploaded outputs; `ref` is what to name as a target."""
    return {
        "ref": f"file:{recording.slug}",
        "id": recording.slug,
        "name": recording.name,
        "key_field": recording.key_field,
        "rows": recording.rows,
        "created_by": recording.created_by.username if recording.created_by else None,
        "created_at": recording.created_at.isoformat(),
    }
