"""`evalhub compare`: what changed from run A to run B, with how sure that is."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from typing import Any

from evalhub_client.commands.class_text import class_text
from evalhub_client.connect import Door, connect
from evalhub_client.names import run_reference
from evalhub_client.output import (
    change,
    change_interval,
    clean,
    count,
    counted,
    figure,
    probability,
    table,
    write,
    write_json,
)
from evalhub_client.progress import Progress

Json = dict[str, Any]

_PAIRING = (
    "paired",
    "only_a",
    "only_b",
    "content_changed",
    "errored_a",
    "errored_b",
    "not_scored",
)
_SIDE = ("n", "mean", "ci95")
_SCORER = (
    "name",
    "kind",
    "primary",
    "a",
    "b",
    "delta",
    "ci95",
    "ci_method",
    "p",
    "p_method",
    "q",
    "improved",
    "regressed",
    "unchanged",
    "verdict",
    "sentence",
)


def run(options: argparse.Namespace) -> int:
    run_a, run_b = run_reference(options.run_a), run_reference(options.run_b)
    with connect(options) as door:
        found = compared(
            door,
            run_a,
            run_b,
            Progress(),
            margin=options.margin,
            cluster=options.cluster,
            slices=options.slices,
            classes=options.classes,
            gate=options.gate,
        )
    if options.json:
        write_json(as_json(found))
    else:
        write(as_text(found))
        if options.classes and found["classes"] is None:
            write(clean(f"No pair has an expected class by {options.classes}."))
    return gate_code(found)


def compared(
    door: Door, run_a: int | str, run_b: int | str, progress: Progress, **settings: Any
) -> Json:
    """The comparison; while large runs are prepared for it, progress on standard error."""
    with contextlib.ExitStack() as stack:
        tend: Callable[[], None] | None = None

        def on_poll(found: Json) -> None:
            nonlocal tend
            if "preparing" in found:
                parts = found["preparing"]
                progress.show(f"Preparing the runs: {parts['done']} of {parts['total']} parts")
                tend = tend or stack.enter_context(door.tended(progress.say))
                tend()

        try:
            return door.client.compare_runs(run_a, run_b, on_poll=on_poll, **settings)
        finally:
            progress.clear()


def gate_code(found: Json) -> int:
    """0 passed or no gate, 3 failed, 4 inconclusive."""
    gate = found.get("gate")
    if not gate or gate["passed"]:
        return 0
    return 4 if gate["inconclusive"] else 3


def gate_text(gate: Json) -> str:
    """What the gates decided, and why, a line for each."""
    word = "passed" if gate["passed"] else "inconclusive" if gate["inconclusive"] else "failed"
    lines = [f"Gate {word}."]
    for reason in gate["reasons"]:
        lines.append(clean(f"  {reason['gate']}: {reason['state']}. {reason['text']}"))
    return "\n".join(lines)


def as_json(found: Json) -> Json:
    """What `compare --json` prints: with `gate`, `slices`, `classes` when they were asked
    for."""
    scorers = []
    for scorer in found["scorers"]:
        sides = {side: {name: scorer[side][name] for name in _SIDE} for side in ("a", "b")}
        scorers.append({name: sides.get(name, scorer[name]) for name in _SCORER})
    asked = {name: found[name] for name in ("slices", "classes", "gate") if found.get(name)}
    pairing = {name: found["pairing"][name] for name in _PAIRING}
    return {"pairing": pairing, "scorers": scorers, **asked}


def as_text(found: Json) -> str:
    """The comparison for people: the verdicts first, then the figures, then how the items pair."""
    lines = [
        clean(f"{letter}  Run #{run['number']}: {run['name']}")
        for letter, run in zip("AB", found["runs"], strict=True)
    ]
    if not found["finished"]:
        lines.append("A run has not ended yet: means only.")
    lines.append("")
    if found["scorers"]:
        lines += [clean(f"{one['name']}: {one['sentence']}") for one in found["scorers"]]
        lines += ["", _figures(found["scorers"])]
        if found.get("slices"):
            lines += ["", *_slices(found["slices"])]
        if found.get("classes"):
            lines += ["", class_text(found["classes"])]
    else:
        lines.append("The runs have no scorer in common.")
    lines += ["", *_pairing(found["pairing"])]
    for letter in "ab":
        names = found[f"scorers_only_{letter}"]
        if names:
            lines.append(clean(f"Only run {letter.upper()} has {', '.join(names)}."))
    if found["settings_differ"]:
        names = ", ".join(found["settings_differ"])
        lines.append(clean(f"Set up differently in the two runs: {names}."))
    if found.get("gate"):
        lines += ["", gate_text(found["gate"])]
    return "\n".join(lines)


def _slices(slices: Json) -> list[str]:
    """The slices as a table like that of the scorers. Exploratory: their p are adjusted."""
    title = f"{slices['scorer']} by {slices['field']}, exploratory:"
    lines = [clean(title), _figures(slices["groups"], "Value")]
    if slices["more"]:
        lines.append(f"{counted(slices['more'], 'smaller slice')} more.")
    if slices["without"]:
        lines.append(f"{counted(slices['without'], 'pair')} without the field.")
    return lines


def _figures(scorers: list[Json], first: str = "Scorer") -> str:
    rows = [
        [
            clean(one["name"]),
            figure(one["a"]["mean"], one["kind"]),
            figure(one["b"]["mean"], one["kind"]),
            change(one["delta"], one["point"]),
            change_interval(one["ci95"], one["point"]),
            probability(one["p"] if one["q"] is None else one["q"]),
            count(one["improved"]),
            count(one["regressed"]),
            count(one["unchanged"]),
        ]
        for one in scorers
    ]
    unit = ", points" if scorers and all(one["point"] is not None for one in scorers) else ""
    headers = [first, "A", "B", f"B − A{unit}", "95% CI", "p", "Improved", "Regressed", "Unchanged"]
    if any(one["q"] is not None for one in scorers):
        headers[5] = "p, q"
        for row, one in zip(rows, scorers, strict=True):
            row[5] = f"{'p' if one['q'] is None else 'q'} {_equals(row[5])}"
    return table(headers, rows, right=range(1, 9))


def _equals(text: str) -> str:
    return text if text.startswith(("<", "–")) else f"= {text}"


def _pairing(pairing: Json) -> list[str]:
    return [
        f"Pairing: {counted(pairing['paired'], 'item')} in both, "
        f"{count(pairing['only_a'])} only in A, {count(pairing['only_b'])} only in B, "
        f"{count(pairing['content_changed'])} with changed content.",
        f"Of the pairs, {count(pairing['errored_a'])} errored in A, {count(pairing['errored_b'])} "
        f"errored in B, {count(pairing['not_scored'])} not scored.",
    ]
