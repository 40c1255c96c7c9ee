"""`evalhub try`: send one input to a target, wait, and say what came back."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from evalhub_client.commands.json_options import parse_object, parse_scorer
from evalhub_client.connect import Door, connect
from evalhub_client.failures import Interrupted, UsageError
from evalhub_client.output import clean, count, milliseconds, table, write, write_json
from evalhub_client.progress import Progress
from evalhub_client.trials import NO_OUTPUT_EXPECTED
from evalhub_client.waiting import run_ended

Json = dict[str, Any]


def run(options: argparse.Namespace) -> int:
    given = {
        "input": _value(options.input, "--input"),
        "expected_output": NO_OUTPUT_EXPECTED
        if options.expected is None
        else _value(options.expected, "--expected"),
        "context": None
        if options.context is None
        else parse_object(_text(options.context, "--context"), "--context"),
        "scorers": [parse_scorer(text) for text in options.scorer],
    }
    progress = Progress()
    with connect(options) as door:
        made = door.client.try_target(options.target, **given)
        trial = _wait(door, made, progress)
    if options.json:
        write_json(trial)
    elif trial["status"] == "completed":
        write(as_text(trial))
    if trial["status"] == "completed":
        return 0
    print(f"evalhub: {_what_failed(trial)}", file=sys.stderr)
    return 1


def as_text(trial: Json) -> str:
    """Output, scores and what it took, for people."""
    output = trial["output"]
    text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, indent=2)
    lines = [clean(line) for line in text.split("\n")]
    if trial["scores"]:
        lines += ["", _scores(trial["scores"])]
    used = [f"Latency: {milliseconds(trial['latency_ms'])}"]
    if trial["input_tokens"] is not None or trial["output_tokens"] is not None:
        tokens = [count(trial[name] or 0) for name in ("input_tokens", "output_tokens")]
        used.append(f"tokens: {tokens[0]} in, {tokens[1]} out")
    if trial["cost_usd"] is not None:
        used.append(f"cost: ${trial['cost_usd']:.4f}")
    return "\n".join([*lines, "", f"{', '.join(used)}."])


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


def _what_failed(trial: Json) -> str:
    if trial["error"] is not None:
        return f"{trial['error']['type']}: {clean(trial['error']['message'])}"
    if trial["status"] == "cancelled":
        return "The trial was cancelled."
    return clean(trial["reason"]) or "It gave no reason."


def _wait(door: Door, made: Json, progress: Progress) -> Json:
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


def _value(text: str, option: str) -> Any:
    """The JSON value of an option or of the file it names (@file); what does not begin like JSON is
    a text.
    """
    text = _text(text, option)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        if not text.lstrip().startswith(("{", "[", '"')):
            return text
        what = str(error)
        if isinstance(error, json.JSONDecodeError):
            what = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise UsageError(f"{option} is not valid JSON: {what}.") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _text(text: str, option: str) -> str:
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{option}: {text[1:]} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{option}: {text[1:]} is not UTF-8 text.") from error
