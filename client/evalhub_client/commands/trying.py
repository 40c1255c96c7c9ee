"""`evalhub try`: send one input to a target, wait, and say what came back."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from evalhub_client.commands.json_options import parse_object, parse_scorer, parse_value, read_text
from evalhub_client.connect import Door, connect
from evalhub_client.failures import Interrupted
from evalhub_client.output import clean, count, milliseconds, table, write, write_json
from evalhub_client.progress import Progress
from evalhub_client.trials import NO_OUTPUT_EXPECTED
from evalhub_client.waiting import run_ended

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    given = {
        "input": parse_value(options.input, "--input"),
        "expected_output": NO_OUTPUT_EXPECTED
        if options.expected is None
        else parse_value(options.expected, "--expected"),
        "context": None
        if options.context is None
        else parse_object(read_text(options.context, "--context"), "--context"),
        "scorers": [parse_scorer(text) for text in options.scorer],
    }
    progress = Progress()
    with connect(options) as door:
        made = door.client.try_target(options.target, **given)
        trial = wait_for(door, made, progress)
    if options.json:
        write_json(trial)
    elif trial["status"] == "completed":
        write(as_text(trial))
    if trial["status"] == "completed":
        return 0
    print(f"evalhub: {what_failed(trial)}", file=sys.stderr)
    return 1


def as_text(trial: Json) -> str:
    """Output, scores and what it took, for people."""
    lines = [output_text(trial["output"])]
    if trial["scores"]:
        lines += ["", _scores(trial["scores"])]
    return "\n".join([*lines, "", used_text(trial)])


def output_text(value: Any) -> str:
    """A text as it is, other values as JSON; without characters that steer a terminal."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    return "\n".join(clean(line) for line in text.split("\n"))


def used_text(trial: Json) -> str:
    """A line with latency, tokens and cost."""
    used = [f"Latency: {milliseconds(trial['latency_ms'])}"]
    if trial["input_tokens"] is not None or trial["output_tokens"] is not None:
        tokens = [count(trial[name] or 0) for name in ("input_tokens", "output_tokens")]
        used.append(f"tokens: {tokens[0]} in, {tokens[1]} out")
    if trial["cost_usd"] is not None:
        used.append(f"cost: ${trial['cost_usd']:.4f}")
    return f"{', '.join(used)}."


def _scores(scores: dict[str, Json]) -> str:
    passed = {True: "yes", False: "no", None: "–"}
    rows = [
        [
            name,
            f"{score['value']:g}" if score["value"] is not None else score["state"],
            passed[score["passed"]],
            score["reason"],
        ]
        for name, score in scores.items()
    ]
    return table(["Scorer", "Score", "Passed", "Reason"], rows, right=[1])


def what_failed(trial: Json) -> str:
    """Why there is no output."""
    if trial["error"] is not None:
        return f"{trial['error']['type']}: {clean(trial['error']['message'])}"
    if trial["status"] == "cancelled":
        return "The trial was cancelled."
    return clean(trial["reason"]) or "It gave no reason."


def wait_for(door: Door, made: Json, progress: Progress) -> Json:
    """The trial once it has ended. Ctrl-C cancels it."""
    with door.tended(progress.say) as tend:

        def on_poll(trial: Json) -> None:
            if not run_ended(trial):
                tend()

        try:
            return door.client.wait_for_trial(made["id"], on_poll=on_poll)
        except KeyboardInterrupt:
            door.client.cancel_trial(made["id"])
            progress.say("Stopped.")
            raise Interrupted from None
