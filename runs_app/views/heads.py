"""The header of a run: what it ran on, what may be done with it now, and how it was set up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from datasets_app import public
from evalhub.access.models import Project
from evalhub.kit.figures import duration_ms, integer, money, percent
from runs_app import changes, queries
from runs_app.models import Run, RunScorer
from runs_app.scorers import catalogue
from runs_app.views.shown import took

TRY_ITEMS = 5  # of the form's "try first"
TRY_MARK = "try of"  # in the name that such a run gets


def head(project: Project, run: Run) -> dict[str, Any]:
    """Context of `runs/_head.html`."""
    over = not run.active
    dataset = queries.datasets_of([run])[run.pk]
    base = changes.baseline_of(run.dataset_id)
    tried = over and not dataset.deleted and _was_try(run)
    return {
        "run": run,
        "dataset": dataset,
        "target_version": target_version(run.target),
        "took": took(run),
        "baseline": base,
        "is_baseline": base is not None and base.pk == run.pk,
        "run_url": reverse("runs:detail", args=[project.slug, run.number]),
        "errors_to_retry": run.failed if over else 0,
        "skipped": max(0, run.total_results - run.succeeded - run.failed) if over else 0,
        "tried": tried,
        "tried_of": _tried_of(run) if tried else None,
    }


def settings_of(run: Run) -> list[tuple[str, str]]:
    """How the run was set up, in words: (name, value), without what says nothing."""
    target = run.target
    rows = [
        ("Target", f"{run.target_name}{_version(target)}, {_reached(target)}"),
        ("Items", selection_words(run.selection)),
        ("Repetitions", integer(run.repetitions)),
        ("Calls at once", integer(run.max_concurrency)),
        ("Timeout of a try", duration_ms(run.timeout_s * 1000)),
        ("Retries", f"{integer(run.retries)} for each result"),
        ("Deadline of a result", duration_ms(run.deadline_s * 1000)),
        ("When errors come", _error_policy(run)),
        ("Token cap", integer(run.max_tokens) if run.max_tokens is not None else ""),
        ("Cost cap", money(run.max_cost_usd) if run.max_cost_usd is not None else ""),
        ("Tags", ", ".join(str(tag) for tag in run.tags)),
    ]
    return [(name, value) for name, value in rows if value]


def scorer_settings(scorer: RunScorer) -> tuple[str, list[tuple[str, str]]]:
    """What a scorer is where its name is another, and [(setting, value)] of what was set

    A setting that is on has an empty value.
    """
    use = scorer.spec.get("use")
    builtin = next((one for one in catalogue() if one.use == use), None)
    said = []
    for param in builtin.params if builtin else ():
        value = scorer.spec.get(param.name, param.default)
        if param.name == "threshold" or value == param.default:
            continue
        words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        said.append((param.label.lower(), "" if value is True else words))
    return builtin.label if builtin and use != scorer.name else "", said


def target_version(target: Mapping[str, Any]) -> str:
    """ "v2" of a saved target; what a registered one calls its version; "" without one."""
    version = str(target.get("version") or "")
    return f"v{version}" if version.isdecimal() else version


def selection_words(selection: Mapping[str, Any]) -> str:
    """ "All", or which: "split test, a sample of 100 (seed 3), first 5"."""
    said = []
    if split := selection.get("split"):
        said.append(f"split {split}")
    if where := selection.get("where"):
        said.append(f"where {where}")
    if other := selection.get("failed_of"):
        said.append(f"failed in run {other}")
    if sample := selection.get("sample"):
        seed = selection.get("seed")
        said.append(f"a sample of {integer(sample)}" + ("" if seed is None else f" (seed {seed})"))
    if limit := selection.get("limit"):
        said.append(f"first {integer(limit)}")
    text = ", ".join(said) or "all"
    return text[0].upper() + text[1:]


def _error_policy(run: Run) -> str:
    said = []
    if run.stop_after_errors is not None:
        said.append(f"stop at {integer(run.stop_after_errors)}")
    if run.stop_error_share is not None:
        said.append(f"stop above {percent(run.stop_error_share)} of the results")
    return " or ".join(said).capitalize() or "Go on"


def _version(target: Mapping[str, Any]) -> str:
    version = target_version(target)
    return f" {version}" if version else ""


def _reached(target: Mapping[str, Any]) -> str:
    """ "workflow by http"."""
    return f"{target.get('kind', 'agent')} by {target.get('transport', 'python')}"


def _was_try(run: Run) -> bool:
    return run.selection.get("limit") == TRY_ITEMS and TRY_MARK in run.name.casefold()


def _tried_of(run: Run) -> int | None:
    """How many items the whole run would have; None where only its start can tell."""
    if run.dataset_id is None or {"failed_of", "where"}.intersection(run.selection):
        return None
    split = run.selection.get("split", "")
    total = public.count_items(run.dataset_id, run.dataset_version, split)
    sample: int = run.selection.get("sample", total)
    return min(total, sample)
