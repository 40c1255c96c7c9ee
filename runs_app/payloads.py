"""Runs, results and scorers as the API's JSON."""

from __future__ import annotations

import json
from typing import Any

from runs_app.models import Run, RunEvent, RunScorer
from runs_app.progress import Progress
from runs_app.result_rows import ResultRow, ScoreRow
from runs_app.scorers import Builtin


def run_payload(
    run: Run,
    *,
    dataset_slug: str,
    progress: Progress,
) -> dict[str, Any]:
    """A run and how far it is. `id` is its uuid."""
    return {
        "id": str(run.uuid),
        "number": run.number,
        "name": run.name,
        "dataset": dataset_slug,
        "dataset_version": run.dataset_version,
        "target": {"ref": run.target_ref, **run.target},
        "scorers": [_scorer(scorer) for scorer in run.scorers.all()],
        "status": run.status,
        "reason": run.reason,
        "concurrency": run.max_concurrency,
        "timeout": run.timeout_s,
        "retries": run.retries,
        "deadline": run.deadline_s,
        "selection": run.selection,
        "repetitions": run.repetitions,
        "context": run.context,
        "tags": run.tags,
        "metadata": run.metadata,
        "stop_after_errors": run.stop_after_errors,
        "stop_error_share": run.stop_error_share,
        "max_tokens": run.max_tokens,
        "max_cost_usd": run.max_cost_usd,
        "used_tokens": run.used_tokens,
        "used_cost_usd": run.used_cost_usd,
        "seat_limit": run.seat_limit,
        "total_items": run.total_items,
        "total_results": run.total_results,
        "created_by": run.created_by.username if run.created_by else None,
        "created_at": run.created_at.isoformat(),
        "started_at": run.started_at.isoformat() if run.started_at else None,
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "paused_at": run.paused_at.isoformat() if run.paused_at else None,
        "progress": progress_payload(progress),
    }


def progress_payload(progress: Progress) -> dict[str, Any]:
    """How far a run is: `share` 0..1, `rate` in results per second, times in seconds."""
    return {
        "total": progress.total,
        "done": progress.done,
        "succeeded": progress.succeeded,
        "failed": progress.failed,
        "share": progress.share,
        "rate": progress.rate,
        "eta_s": progress.eta_s,
        "elapsed_s": progress.elapsed_s,
    }


def event_payload(event: RunEvent) -> dict[str, Any]:
    """Something that happened to a run; `seats` is None for what leaves them alone."""
    return {
        "at": event.at.isoformat(),
        "kind": event.kind,
        "seats": event.seats,
        "message": event.message,
    }


def result_payload(row: ResultRow, *, spans: bool = False) -> dict[str, Any]:
    """A result with its item; the first repetition is 0. `output` is left out of an error,
    `expected_output` when absent, and `spans` unless they are asked for."""
    payload: dict[str, Any] = {
        "number": row.number,
        "repetition": row.repetition,
        "revision": row.item.revision_id,
        "external_id": row.item.external_id,
        "status": row.status,
        "input": json.loads(row.item.input_json),
        "metadata": json.loads(row.item.metadata_json),
        "error": None,
        "latency_ms": row.latency_ms,
        "retries": row.retries,
        "started_at": row.started_at.isoformat(),
        "completed_at": row.completed_at.isoformat(),
        "input_tokens": row.input_tokens,
        "output_tokens": row.output_tokens,
        "cost_usd": row.cost_usd,
        "trace_id": row.trace_id or None,
        "scores": {name: _score(score) for name, score in row.scores.items()},
    }
    if row.item.expected_json is not None:
        payload["expected_output"] = json.loads(row.item.expected_json)
    if row.status == "error":
        payload["error"] = {"type": row.error_type, "message": row.error_message}
    elif row.output_json is not None:
        payload["output"] = json.loads(row.output_json)
    if spans:
        payload["spans"] = row.spans
    return payload


def scorer_payload(builtin: Builtin) -> dict[str, Any]:
    """A scorer that runs can use, with its parameters and their defaults."""
    return {
        "use": builtin.use,
        "label": builtin.label,
        "description": builtin.description,
        "kind": builtin.kind,
        "params": [
            {
                "name": param.name,
                "label": param.label,
                "type": param.type,
                "default": param.default,
                "help": param.help,
            }
            for param in builtin.params
        ],
    }


def _scorer(scorer: RunScorer) -> dict[str, Any]:
    return {
        "name": scorer.name,
        "kind": scorer.kind,
        "primary": scorer.position == 0,
        "higher_is_better": scorer.higher_is_better,
        "threshold": scorer.threshold,
        "spec": scorer.spec,
    }


def _score(score: ScoreRow) -> dict[str, Any]:
    return {
        "state": score.state,
        "value": score.value,
        "passed": score.passed,
        "reason": score.reason,
    }
