"""`evalhub pause`, `resume`, `retry`, `rescore` and `delete-run`: what becomes of a run."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.client import Client
from evalhub_client.commands.figures import as_json, as_text, exit_code
from evalhub_client.commands.json_options import parse_scorer
from evalhub_client.commands.running import tell_worker, wait_for
from evalhub_client.connect import Door, connect
from evalhub_client.failures import Interrupted
from evalhub_client.names import run_reference
from evalhub_client.output import count, counted, write, write_json
from evalhub_client.progress import Progress, run_text
from evalhub_client.waiting import rescore_ended

Json = dict[str, Any]

_DONE = {
    "pause": "paused. Calls in flight end; `evalhub resume {number}` goes on",
    "resume": "goes on",
    "retry": "is open again",
    "rescore": "is being scored again",
}


def run(options: argparse.Namespace) -> int:
    reference = run_reference(options.run)
    with connect(options) as door:
        if options.command == "delete-run":
            return _delete(options, door.client, reference)
        found = _act(options, door.client, reference)
        if options.command in ("retry", "rescore") and options.wait:
            return _waited(options, door, found)
        if options.json:
            write_json(found)
        else:
            number = found["number"]
            write(f"Run #{number} {_DONE[options.command].format(number=number)}.")
        if options.command != "pause":
            tell_worker(door)
    return 0


def _act(options: argparse.Namespace, client: Client, reference: str) -> Json:
    if options.command == "rescore":
        scorers = [parse_scorer(text) for text in options.scorer]
        mode = "replace" if options.replace else "add"
        return client.rescore_run(reference, scorers, mode=mode)
    act = {"pause": client.pause_run, "resume": client.resume_run, "retry": client.retry_run}
    return act[options.command](reference)


def _delete(options: argparse.Namespace, client: Client, reference: str) -> int:
    found = client.get_run(reference)
    client.delete_run(found["id"])
    if options.json:
        write_json({"id": found["id"], "number": found["number"], "deleted": True})
    else:
        write(f"Run #{found['number']} is deleted.")
    return 0


def _waited(options: argparse.Namespace, door: Door, found: Json) -> int:
    """The figures once the work is done, as after `evalhub run --wait`."""
    progress = Progress()
    if options.command == "retry":
        ended = wait_for(door, found, progress)
        progress.say(run_text(ended))
    else:
        ended = _wait_for_rescore(door, found, progress)
    if options.json:
        write_json(as_json(ended))
    else:
        write(as_text(ended))
    return exit_code(ended) if options.command == "retry" else 0


def _wait_for_rescore(door: Door, found: Json, progress: Progress) -> Json:
    number = found["number"]
    with door.tended(progress.say) as tend:

        def on_poll(run: Json) -> None:
            if not rescore_ended(run):
                rescore = run["rescore"]
                of = counted(rescore["total"], "result")
                progress.show(f"Run #{number}: {count(rescore['done'])} of {of} scored again")
                tend()

        try:
            return door.client.wait_for_rescore(found["id"], on_poll=on_poll)
        except KeyboardInterrupt:
            progress.say(f"Stopped waiting. Run #{number} is scored on in the background.")
            raise Interrupted from None
        finally:
            progress.clear()
