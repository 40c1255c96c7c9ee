"""`evalhub run`: start a run and, when asked, wait for its figures."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, NoReturn

from evalhub_client.connect import Door, connect
from evalhub_client.failures import Interrupted, UsageError
from evalhub_client.names import require_dataset
from evalhub_client.output import (
    clean,
    count,
    counted,
    figure,
    interval,
    milliseconds,
    table,
    write,
    write_json,
)
from evalhub_client.progress import Progress, run_text
from evalhub_client.waiting import run_ended

Json = dict[str, Any]

_FIGURES = (
    "total_items",
    "total_results",
    "succeeded",
    "failed",
    "skipped",
    "scores",
    "latency_ms",
)
_ENDED = {"failed": "failed", "cancelled": "was cancelled"}


def run(options: argparse.Namespace) -> int:
    scorers = [_scorer(text) for text in options.scorer]
    progress = Progress()
    with connect(options) as door:
        dataset = require_dataset(door.client, options.dataset)
        made = door.client.start_run(
            dataset["id"],
            target=options.target,
            scorers=scorers,
            version=options.version,
            name=options.name,
            concurrency=options.concurrency,
            timeout=options.timeout,
            retries=options.retries,
            limit=options.limit,
        )
        if not options.wait:
            _tell_started(options, door, made)
            return 0
        ended = _wait(door, made, progress)
        progress.say(run_text(ended))
    if options.json:
        write_json(as_json(ended))
    else:
        write(as_text(ended))
    if ended["status"] == "completed":
        return 0
    reason = clean(ended["reason"]) or "It gave no reason."
    print(f"evalhub: Run #{ended['number']} {_ENDED[ended['status']]}. {reason}", file=sys.stderr)
    return 1


def as_json(run: Json) -> Json:
    """What `run --wait --json` prints."""
    summary = run["summary"]
    figures = {name: summary[name] for name in _FIGURES}
    return {"id": run["id"], "number": run["number"], "status": run["status"], **figures}


def as_text(run: Json) -> str:
    """The figures of a run that has ended, for people."""
    summary = run["summary"]
    reason = f" {clean(run['reason'])}" if run["reason"] else ""
    lines = [
        f"Run #{run['number']} {run['status']}.{reason}",
        f"{counted(summary['total_items'], 'item')}: {count(summary['succeeded'])} succeeded, "
        f"{count(summary['failed'])} failed, {count(summary['skipped'])} skipped.",
    ]
    if summary["scores"]:
        lines += ["", _scores(run)]
    latency = summary["latency_ms"]
    if latency["p50"] is not None:
        times = ", ".join(f"{name} {milliseconds(latency[name])}" for name in ("p50", "p95", "p99"))
        lines += ["", f"Latency: {times}."]
    return "\n".join(lines)


def _scores(run: Json) -> str:
    kinds = {one["name"]: one["kind"] for one in run["scorers"]}
    rows = [
        [
            name,
            count(one["n"]),
            figure(one["mean"], kinds[name]),
            interval(one["ci95"], kinds[name]),
            "–" if one["passed"] is None else count(one["passed"]),
            count(one["errors"]),
            count(one["not_scored"]),
        ]
        for name, one in run["summary"]["scores"].items()
    ]
    headers = ["Scorer", "n", "Mean", "95% CI", "Passed", "Errors", "Not scored"]
    return table(headers, rows, right=range(1, 7))


def _scorer(text: str) -> str | Json:
    """A scorer's name, or the object that the text is when it begins like one."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        spec: Json = json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        hint = " In JSON a backslash is written twice." if "escape" in error.msg else ""
        raise UsageError(
            f"--scorer is not valid JSON: {error.msg} at line {error.lineno}, "
            f"column {error.colno}.{hint}"
        ) from error
    except ValueError as error:
        raise UsageError(f"--scorer is not valid JSON: {error}.") from error
    return spec


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _wait(door: Door, made: Json, progress: Progress) -> Json:
    number = made["number"]
    progress.say(f"Run #{number} started: {counted(made['total_items'], 'item')}.")
    with door.tended(progress.say) as tend:

        def on_poll(run: Json) -> None:
            if not run_ended(run):
                progress.show(run_text(run))
                tend()

        try:
            return door.client.wait_for_run(made["id"], on_poll=on_poll)
        except KeyboardInterrupt:
            progress.say(
                f"Stopped waiting. Run #{number} goes on with the next worker."
                if door.local
                else f"Stopped waiting. Run #{number} goes on on the server."
            )
            raise Interrupted from None
        finally:
            progress.clear()


def _tell_started(options: argparse.Namespace, door: Door, made: Json) -> None:
    if options.json:
        write_json(made)
    else:
        number = made["number"]
        write(f"Run #{number} started: {counted(made['total_items'], 'item')}.")
        write(f"Follow it with `evalhub runs`; read it with `evalhub results {number}`.")
    if not door.worker_alive():
        where = "here; `evalhub up` starts one" if door.local else "on the server"
        print(f"No worker is alive {where}. The run waits until one is.", file=sys.stderr)
