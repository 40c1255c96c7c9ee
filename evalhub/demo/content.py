"""What the demo project consists of: its dataset, scorers and targets. Pure values."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATASET_NAME = "Support tickets"
DATASET_DESCRIPTION = (
    "Sixty letters to the makers of a self-watering plant pot, with the category, the priority "
    "and the reply that the support team would have chosen."
)

# The output of a workflow is read as compact JSON text, so a part of it is taken by expression.
SCORERS: tuple[dict[str, Any], ...] = (
    {"use": "exact_match", "name": "category", "extract": r'"category":"([a-z]+)"'},
    {"use": "exact_match", "name": "priority", "extract": r'"priority":"([a-z]+)"'},
    {
        "use": "levenshtein",
        "name": "reply similarity",
        "extract": r'"reply":"((?:[^"\\]|\\.)*)"',
        "threshold": 0.3,  # free text: a reply may say the same in other words
    },
)


@dataclass(frozen=True, slots=True)
class DemoTarget:
    """A registered workflow and the name and description of the run that shows it."""

    id: str
    run_name: str
    description: str


# The first two are compared when the demo starts, the first as the baseline.
TARGETS = (
    DemoTarget(
        id="demo.triage-v1",
        run_name="Triage v1",
        description="The first keyword found decides.",
    ),
    DemoTarget(
        id="demo.triage-v2",
        run_name="Triage v2",
        description="Weighted clues, negation, urgency signals and replies by situation.",
    ),
    DemoTarget(
        id="demo.triage-v3",
        run_name="Triage v3",
        description="Version 2 with more clues, for parcels and other languages.",
    ),
)

TICKETS_FILE = Path(__file__).with_name("tickets.jsonl")


def tickets() -> list[dict[str, Any]]:
    """The sixty items in order: `external_id`, `input`, `expected_output` and `metadata` each."""
    with TICKETS_FILE.open(encoding="utf-8") as lines:
        return [_item(json.loads(line)) for line in lines]


def _item(ticket: dict[str, Any]) -> dict[str, Any]:
    return {
        "external_id": ticket["external_id"],
        "input": {key: ticket[key] for key in ("subject", "body", "channel")},
        "expected_output": {key: ticket[key] for key in ("category", "priority", "reply")},
        "metadata": ticket["metadata"],
    }
