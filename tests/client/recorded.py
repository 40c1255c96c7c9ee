"""Answers as the API gives them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SIDE = {"n": 200, "mean": 0.785, "ci95": [0.723, 0.836]}


def dataset(name: str = "Sums", slug: str = "sums", **other: Any) -> Json:
    return {
        "id": slug,
        "uuid": "6f1c2b1e-0000-4000-8000-000000000001",
        "name": name,
        "description": "",
        "tags": [],
        "version": 1,
        "item_count": 1319,
        "pinned": False,
        "archived": False,
        "created_at": "2025-01-05T10:00:00+00:00",
        "updated_at": "2025-01-05T10:00:00+00:00",
    } | other


def import_job(state: str = "done", **other: Any) -> Json:
    return {
        "id": "6f1c2b1e-0000-4000-8000-0000000000aa",
        "dataset": "sums",
        "filename": "sums.csv",
        "state": state,
        "active": state in ("checking", "importing", "undoing"),
        "reading": {"format": "csv", "encoding": "utf-8", "notes": []},
        "mapping": {
            "columns": [
                {"column": "q", "destination": "input"},
                {"column": "a", "destination": "expected_output"},
            ],
        },
        "rows_done": 3,
        "rows_good": 3,
        "rows_bad": 0,
        "rows_known": 0,
        "rows_total": None,
        "share_done": 1.0,
        "problems": [],
        "version": 1 if state == "done" else None,
        "message": "",
        "created_at": "2025-01-05T10:00:00+00:00",
        "started_at": "2025-01-05T10:00:00+00:00",
        "finished_at": "2025-01-05T10:00:02+00:00" if state == "done" else None,
    } | other


def summary(**other: Any) -> Json:
    score = {"n": 3, "mean": 2 / 3, "ci95": [0.2077, 0.9385], "passed": 2}
    return {
        "primary": "exact_match",
        "total_items": 4,
        "total_results": 4,
        "succeeded": 3,
        "failed": 1,
        "skipped": 0,
        "scores": {"exact_match": score | {"errors": 0, "not_scored": 0}},
        "latency_ms": {"p50": 12.0, "p95": 1840.0, "p99": 1900.0},
        "errors": {"timeout": 1},
    } | other


def run(status: str = "completed", *, done: int = 4, **other: Any) -> Json:
    active = status in ("pending", "running")
    return {
        "id": "6f1c2b1e-0000-4000-8000-0000000000bb",
        "number": 7,
        "name": "triage on Sums",
        "dataset": "sums",
        "dataset_version": 1,
        "target": {"ref": "python:triage", "name": "triage"},
        "scorers": [{"name": "exact_match", "kind": "binary", "primary": True}],
        "status": status,
        "reason": "",
        "total_items": 4,
        "total_results": 4,
        "created_at": "2025-01-05T10:00:00+00:00",
        "paused_at": None,
        "progress": {
            "total": 4,
            "done": done,
            "succeeded": done,
            "failed": 0,
            "share": done / 4,
            "rate": 2.0 if done else None,
            "eta_s": (4 - done) / 2 if active and done else None,
            "elapsed_s": 2.0,
        },
        "summary": None if active else summary(),
        "rescore": None,
    } | other


def result(number: int = 1, **other: Any) -> Json:
    score = {"state": "scored", "value": 1.0, "passed": True, "reason": "Equal."}
    return {
        "number": number,
        "revision": 40 + number,
        "external_id": None,
        "status": "ok",
        "input": "1 + 1",
        "metadata": {},
        "error": None,
        "latency_ms": 12.5,
        "retries": 0,
        "started_at": "2025-01-05T10:00:00+00:00",
        "completed_at": "2025-01-05T10:00:01+00:00",
        "scores": {"exact_match": score},
        "expected_output": "2",
        "output": "2",
    } | other


def compared_scorer(name: str = "exact_match", **other: Any) -> Json:
    return {
        "name": name,
        "kind": "binary",
        "primary": True,
        "a": SIDE,
        "b": {"n": 200, "mean": 0.715, "ci95": [0.649, 0.773]},
        "delta": -0.07,
        "ci95": [-0.1301, -0.0138],
        "ci_method": "tango",
        "p": 0.0172,
        "p_method": "midp_mcnemar",
        "q": None,
        "improved": 10,
        "regressed": 24,
        "unchanged": 1166,
        "point": 0.01,
        "verdict": "worse",
        "sentence": "Worse: −7.0 points (95% CI −13.0 to −1.4, n = 200, p = 0.017).",
    } | other


def comparison(*scorers: Json, **other: Any) -> Json:
    pairing = {
        "paired": 1200,
        "only_a": 1,
        "only_b": 2,
        "content_changed": 3,
        "errored_a": 4,
        "errored_b": 5,
        "not_scored": 6,
    }
    side = {"name": "first", "target": "python:triage", "status": "completed"}
    return {
        "runs": [{"number": 7} | side, {"number": 8} | side],
        "finished": True,
        "margin": 2.0,
        "pairing": pairing,
        "scorers": list(scorers or (compared_scorer(),)),
        "scorers_only_a": [],
        "scorers_only_b": [],
        "settings_differ": [],
        "headline": [],
    } | other
