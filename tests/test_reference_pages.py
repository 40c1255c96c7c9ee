"""The pages of the four systems of the reference data show the figures that an independent
computation gave (EVALHUB_REFERENCE_DATA): all six pairs, and all four beside each other.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evalhub.access.models import Project, User
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run
from tests.reference import reference_dir

pytestmark = pytest.mark.django_db
SYSTEMS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")


@pytest.fixture
def figures() -> dict[str, Any]:
    path = reference_dir() / "reference" / "gsm8k_statistics.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def runs(figures: dict[str, Any], project: Project, owner: User) -> dict[str, Run]:
    """A run of each system, scored as the reference data says."""
    source = reference_dir() / "data" / "gsm8k" / "example_model_solutions.jsonl"
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == figures["n"]
    dataset = make_dataset(
        project,
        owner,
        [{"input": row["question"], "expected_output": row["ground_truth"]} for row in rows],
        name="GSM8K",
    )
    return {
        system: make_finished_run(
            dataset,
            owner,
            ["x"] * len(rows),
            {"answer": [float(row[system]["is_correct"]) for row in rows]},
            name=system,
        )
        for system in SYSTEMS
    }


def test_every_pair_and_the_page_of_four_equal_the_reference(
    figures: dict[str, Any],
    runs: dict[str, Run],
    project: Project,
    viewer: User,
    client_for: Callable[..., Client],
) -> None:
    client = client_for(viewer)
    here = reverse("runs:compare", args=[project.slug])
    for one, other in itertools.combinations(SYSTEMS, 2):
        wanted = figures["paired"][f"{one} -> {other}"]
        page = client.get(f"{here}?run={runs[one].number}&run={runs[other].number}")
        line = page.context["lines"][0].c
        assert line.delta == pytest.approx(wanted["delta"], abs=1e-12)
        assert line.ci95.to_json() == pytest.approx(wanted["tango_95"], abs=1e-6)
        assert line.p == pytest.approx(wanted["mcnemar_mid_p"], rel=1e-6)
        assert line.difference.exact_p == pytest.approx(wanted["mcnemar_exact_p"], rel=1e-6)
        assert (line.improved, line.regressed, line.unchanged) == (
            wanted["improved"],
            wanted["regressed"],
            wanted["unchanged"],
        )
        for side, system in ((line.a, one), (line.b, other)):
            assert side.mean == pytest.approx(figures["runs"][system]["mean"], abs=1e-12)
            assert side.ci95.to_json() == pytest.approx(
                figures["runs"][system]["wilson_95"], abs=1e-9
            )
        assert f"+{100 * wanted['delta']:.1f}".replace("+-", "−") in page.content.decode()

    page = client.get(here + "?" + "&".join(f"run={runs[system].number}" for system in SYSTEMS))
    panel = page.context["panels"][0]
    ps = []
    for system, line in zip(SYSTEMS, panel.lines, strict=True):
        assert line.mean == pytest.approx(figures["runs"][system]["mean"], abs=1e-12)
        assert line.ci == pytest.approx(figures["runs"][system]["wilson_95"], abs=1e-9)
        assert line.mean_text in page.content.decode()
        if system == SYSTEMS[0]:
            continue
        wanted = figures["paired"][f"{SYSTEMS[0]} -> {system}"]
        assert line.delta == pytest.approx(wanted["delta"], abs=1e-12)
        assert line.points[1:] == pytest.approx([100 * x for x in wanted["tango_95"]], abs=1e-4)
        assert (line.improved, line.regressed) == (wanted["improved"], wanted["regressed"])
        ps.append(wanted["mcnemar_mid_p"])
    # Holm: the smallest p counts three times, the next twice, the largest once.
    shown = [each.against.p_holm for each in panel.scorer.figures.runs if each.against]
    assert sorted(shown) == pytest.approx(
        [p * times for p, times in zip(sorted(ps), (3, 2, 1), strict=True)], rel=1e-6
    )
    assert [line.in_top_group for line in panel.lines] == [False, False, False, True]
    assert "D, 175b_verification, is best on answer" in page.content.decode()
