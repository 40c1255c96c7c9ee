"""`evalhub compare`: what changed from run A to run B, with how sure that is."""

from __future__ import annotations

import argparse
from typing import Any

from evalhub_client.connect import connect
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
    with connect(options) as door:
        found = door.client.compare_runs(run_reference(options.run_a), run_reference(options.run_b))
    if options.json:
        write_json(as_json(found))
    else:
        write(as_text(found))
    return 0


def as_json(found: Json) -> Json:
    """What `compare --json` prints."""
    scorers = []
    for scorer in found["scorers"]:
        sides = {side: {name: scorer[side][name] for name in _SIDE} for side in ("a", "b")}
        scorers.append({name: sides.get(name, scorer[name]) for name in _SCORER})
    return {"pairing": {name: found["pairing"][name] for name in _PAIRING}, "scorers": scorers}


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
    return "\n".join(lines)


def _figures(scorers: list[Json]) -> str:
    rows = [
        [
            one["name"],
            figure(one["a"]["mean"], one["kind"]),
            figure(one["b"]["mean"], one["kind"]),
            change(one["delta"], one["kind"]),
            change_interval(one["ci95"], one["kind"]),
            probability(one["p"] if one["q"] is None else one["q"]),
            count(one["improved"]),
            count(one["regressed"]),
            count(one["unchanged"]),
        ]
        for one in scorers
    ]
    headers = ["Scorer", "A", "B", "B − A", "95% CI", "p", "Improved", "Regressed", "Unchanged"]
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
