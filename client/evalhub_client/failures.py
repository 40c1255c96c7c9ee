"""What goes wrong on a command line, and how it is told."""

from __future__ import annotations

from evalhub_client.errors import ApiError, FieldError
from evalhub_client.output import clean

_RUN = {
    "dataset": "DATASET",
    "target": "--target",
    "scorers": "--scorer",
    "version": "--version",
    "name": "--name",
    "concurrency": "--concurrency",
    "timeout": "--timeout",
    "retries": "--retries",
    "limit": "--limit",
    "selection/split": "--split",
    "selection/sample": "--sample",
    "selection/seed": "--seed",
    "selection/failed_of": "--failed-of",
    "repetitions": "--repetitions",
    "context": "--context",
    "deadline": "--deadline",
    "stop_after_errors": "--stop-after-errors",
    "stop_error_share": "--stop-error-share",
    "max_tokens": "--max-tokens",
    "max_cost_usd": "--max-cost",
    "tags": "--tag",
    "gate": "--gate",
}
_IMPORT = {
    "file": "FILE",
    "name": "--dataset",
    "format": "--format",
    "input": "--input",
    "expected": "--expected",
    "metadata": "--metadata",
    "external_id": "--external-id",
    "encoding": "--encoding",
    "delimiter": "--delimiter",
    "member": "--member",
    "columns": "--map",
    "known_by": "--known-by",
    "known_are": "--known",
    "rest": "--rest",
    "on_error": "--on-error",
}
_TRY = {
    "target": "TARGET",
    "input": "--input",
    "expected_output": "--expected",
    "context": "--context",
    "scorers": "--scorer",
}
_CONNECTION = {
    "name": "the name",
    "base_url": "--base-url",
    "key": "the key",
    "requests_per_minute": "--requests-per-minute",
    "tokens_per_minute": "--tokens-per-minute",
}
_TARGET = {
    "name": "NAME",
    "kind": "--kind",
    "transport": "--transport",
    "config": "--config",
    "description": "--description",
    "message": "--message",
    "input": "--input",
    "context": "--context",
    "metadata": "--metadata",
}
_RECORDING = {
    "file": "FILE",
    "name": "--name",
    "key_column": "--key",
    "output_column": "--output",
    "key_field": "--key-field",
    "read_as": "--read-as",
}
_DATASET = {
    "name": "the name",
    "slug": "--slug",
    "description": "--description",
    "tags": "--tag",
}
_EXPORT = {
    "format": "--format",
    "where": "--where",
    "q": "--search",
    "split": "--split",
    "numbers": "--numbers",
}
_ITEM = {
    "input": "--input",
    "expected_output": "--expected",
    "metadata": "--metadata",
    "context": "--context",
    "tags": "--tag",
    "split": "--split",
    "external_id": "--external-id",
    "scorers": "--scorer",
    "remove": "--remove",
    "message": "--message",
    "revision": "--revision",
}
_COMPARE = {
    "runs": "RUN",
    "margin": "--margin",
    "cluster": "--cluster",
    "slices": "--slices",
    "classes": "--classes",
    "gate": "--gate",
}
_PLACES = {
    "compare": _COMPARE,
    "items": _ITEM,
    "notes": {"text": "--add"},
    "datasets": _DATASET,
    "export": _EXPORT,
    "run": _RUN,
    "try": _TRY,
    "import": _IMPORT,
    "rescore": {"scorers": "--scorer"},
    "connections": _CONNECTION,
    "targets": _TARGET,
    "recordings": _RECORDING,
}


class UsageError(Exception):
    """Arguments that cannot be meant; the message says what to write instead."""


class Interrupted(Exception):
    """Ctrl-C while waiting; what there was to say has been said."""


def explain(error: ApiError, command: str) -> str:
    """The refusal for people: the sentence, then each field at fault on a line of its own."""
    errors = list(error.errors)
    if errors and errors[0].detail == error.detail:
        first = errors.pop(0)
        lines = [f"evalhub: {_line(first, command)}"]
    else:
        lines = [f"evalhub: {clean(error.detail)}"]
    lines += [f"  {_line(one, command)}" for one in errors]
    if error.status == 401:
        lines.append("  Give a token of the project with --token or EVALHUB_TOKEN.")
    return "\n".join(lines)


def _line(error: FieldError, command: str) -> str:
    place = _place(error.pointer, command)
    return clean(f"{place}: {error.detail}" if place else error.detail)


def _place(pointer: str, command: str) -> str:
    """What was typed for a place in the body: /scorers/1/extract is --scorer 2, extract."""
    parts = pointer.strip("/").split("/") if pointer.strip("/") else []
    if not parts:
        return ""
    places = _PLACES.get(command, {})
    depth = 2 if "/".join(parts[:2]) in places else 1
    option = places.get("/".join(parts[:depth]))
    if option is None:
        return pointer
    rest = parts[depth:]
    if rest and rest[0].isdecimal():
        option, rest = f"{option} {int(rest[0]) + 1}", rest[1:]
    return ", ".join([option, *rest])
