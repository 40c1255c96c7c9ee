"""`evalhub run`: start runs and, when asked, wait for their figures."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from evalhub_client.commands.comparing import as_json as comparison_json
from evalhub_client.commands.comparing import as_text as comparison_text
from evalhub_client.commands.comparing import compared, gate_code
from evalhub_client.commands.figures import as_json, as_text, exit_code
from evalhub_client.commands.json_options import parse_object, parse_scorer
from evalhub_client.connect import Door, connect
from evalhub_client.failures import Interrupted, UsageError
from evalhub_client.names import require_dataset, run_reference
from evalhub_client.output import counted, write, write_json
from evalhub_client.progress import Progress, run_text
from evalhub_client.waiting import run_ended

Json = dict[str, Any]

DEFAULT_GATE = "no-significant-regression"


def run(options: argparse.Namespace) -> int:
    settings = _settings(options)
    baseline = _baseline(options)
    progress = Progress()
    with connect(options) as door:
        dataset = require_dataset(door.client, options.dataset)
        made = []
        for target in options.target or [None]:
            made.append(door.client.start_run(dataset["id"], target=target, **settings))
            if options.wait or baseline:
                progress.say(_started(made[-1]))
            elif not options.json:
                write(_started(made[-1]))
        if not (options.wait or baseline):
            _tell_started(options, door, made)
            return 0
        ended = []
        for one in made:
            ended.append(wait_for(door, one, progress))
            progress.say(run_text(ended[-1]))
        found = _compare(door, baseline, ended, options, progress) if baseline else []
    figures = [as_json(one) for one in ended]
    texts = [as_text(one) for one in ended]
    for one, comparison in zip(figures, found, strict=False):
        one["comparison"] = comparison_json(comparison)
    if options.json:
        write_json(figures if len(figures) > 1 else figures[0])
    else:
        write("\n\n".join([*texts, *(comparison_text(one) for one in found)]))
    failed = max([exit_code(one) for one in ended])
    return failed or _decided([gate_code(one) for one in found])


def _baseline(options: argparse.Namespace) -> str:
    """The run to compare to, "" for none. Raises UsageError for a gate without one."""
    if options.baseline is not None:
        return run_reference(options.baseline)
    if options.gate:
        raise UsageError("--gate compares with another run. Name it with --baseline.")
    return ""


def _compare(
    door: Door,
    baseline: str,
    ended: list[Json],
    options: argparse.Namespace,
    progress: Progress,
) -> list[Json]:
    """Each ended run against the baseline, with the gates' decision."""
    gates = options.gate or [DEFAULT_GATE]
    return [compared(door, baseline, one["id"], progress, gate=gates) for one in ended]


def _decided(codes: list[int]) -> int:
    """A gate that failed (3) outweighs one that is inconclusive (4)."""
    return 3 if 3 in codes else max(codes, default=0)


def _settings(options: argparse.Namespace) -> Json:
    """What `start_run` takes besides the target; None for what was not said."""
    selection = {
        "split": options.split,
        "where": options.where,
        "sample": options.sample,
        "seed": options.seed,
        "failed_of": options.failed_of,
    }
    selection = {name: value for name, value in selection.items() if value is not None}
    return {
        "scorers": [parse_scorer(text) for text in options.scorer] if options.scorer else None,
        "version": options.version,
        "name": options.name,
        "selection": selection or None,
        "limit": options.limit,
        "repetitions": options.repetitions,
        "context": None if options.context is None else parse_object(options.context, "--context"),
        "concurrency": options.concurrency,
        "timeout": options.timeout,
        "retries": options.retries,
        "deadline": options.deadline,
        "stop_after_errors": options.stop_after_errors,
        "stop_error_share": options.stop_error_share,
        "max_tokens": options.max_tokens,
        "max_cost_usd": options.max_cost,
        "tags": options.tag,
    }


def _tell_started(options: argparse.Namespace, door: Door, made: list[Json]) -> None:
    if options.json:
        write_json(made if len(made) > 1 else made[0])
    else:
        results = " and ".join(f"`evalhub results {one['number']}`" for one in made)
        write(
            f"Follow {'it' if len(made) == 1 else 'them'} with `evalhub runs`; read with {results}."
        )
    tell_worker(door)


def wait_for(door: Door, made: Json, progress: Progress) -> Json:
    """The run once it has ended, with its progress on standard error on the way."""
    number = made["number"]
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


def tell_worker(door: Door) -> None:
    """Say so when nobody is there to do the work."""
    if not door.worker_alive():
        where = "here; `evalhub up` starts one" if door.local else "on the server"
        print(f"No worker is alive {where}. The run waits until one is.", file=sys.stderr)


def _started(run: Json) -> str:
    return f"Run #{run['number']} started: {counted(run['total_items'], 'item')}."
