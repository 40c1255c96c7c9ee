"""`evalhub compare` against recorded answers."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.client import recorded
from tests.client.api_server import ApiServer, Reply, problem
from tests.client.conftest import Ran

Evalhub = Callable[..., Ran]


def test_compare_in_json_is_exactly_pairing_and_scorers(
    server: ApiServer, evalhub: Evalhub
) -> None:
    told = recorded.compared_scorer()
    scorer = told | {"notes": ["more than asked for"]}
    del told["point"]  # of the API alone
    server.answer("POST", "/datasets/compare", Reply(recorded.comparison(scorer)))
    ran = evalhub("compare", "#7", "8", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == {
        "pairing": recorded.comparison()["pairing"],
        "scorers": [told],
    }
    assert server.asked[0].json == {"runs": ["7", "8"]}


def test_a_scorer_without_a_range_keeps_its_own_unit(server: ApiServer, evalhub: Evalhub) -> None:
    tokens = recorded.compared_scorer(
        "words", kind="continuous", point=None, delta=1.25, ci95=[1.2, 1.3]
    )
    server.answer("POST", "/datasets/compare", Reply(recorded.comparison(tokens)))
    out = evalhub("compare", "7", "8").out
    assert "B − A, points" not in out
    assert "+1.250  +1.200 to +1.300" in out


def test_compare_says_the_verdicts_then_the_figures_then_the_pairing(
    server: ApiServer, evalhub: Evalhub
) -> None:
    similar = recorded.compared_scorer(
        "similarity",
        kind="continuous",
        primary=False,
        delta=0.0,
        ci95=[-0.01, 0.01],
        p=0.9,
        q=0.00004,
        sentence="Cannot tell.",
    )
    server.answer(
        "POST",
        "/datasets/compare",
        Reply(recorded.comparison(recorded.compared_scorer(), similar, scorers_only_b=["late"])),
    )
    out = evalhub("compare", "7", "8").out
    lines = out.splitlines()
    assert lines[0] == "A  Run #7: first"
    assert any("B − A, points  " in line for line in lines)
    assert lines[3].startswith("exact_match: Worse: −7.0 points")
    rows = [line.split("  ") for line in lines if line.startswith(("exact_match ", "similarity "))]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells == [
        [
            "exact_match",
            "78.5%",
            "71.5%",
            "−7.0",
            "−13.0 to −1.4",
            "p = 0.017",
            "10",
            "24",
            "1,166",
        ],
        [
            "similarity",
            "0.785",
            "0.715",
            "0.0",
            "−1.0 to +1.0",
            "q < 0.001",
            "10",
            "24",
            "1,166",
        ],
    ]
    assert "Pairing: 1,200 items in both, 1 only in A, 2 only in B, 3 with changed content." in out
    assert "4 errored in A, 5 errored in B, 6 not scored." in out
    assert "Only run B has late." in out


def test_a_comparison_without_figures_shows_dashes(server: ApiServer, evalhub: Evalhub) -> None:
    empty = {"n": 0, "mean": None, "ci95": None}
    scorer = recorded.compared_scorer(
        a=empty, b=empty, delta=None, ci95=None, p=None, sentence="Too few items."
    )
    server.answer("POST", "/datasets/compare", Reply(recorded.comparison(scorer, finished=False)))
    ran = evalhub("compare", "7", "8")
    assert ran.code == 0
    assert "A run has not ended yet" in ran.out
    assert ran.out.count("–") == 5


def test_an_unknown_run_is_the_message_of_the_api(server: ApiServer, evalhub: Evalhub) -> None:
    server.answer("POST", "/datasets/compare", problem(404, "There is no run “99”."))
    ran = evalhub("compare", "7", "99")
    assert (ran.code, ran.out, ran.err) == (1, "", "evalhub: There is no run “99”.\n")
