"""Comparisons with clusters, repetitions, slices, costs and margins, read from real rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import Invalid
from runs_app import comparing
from runs_app.comparing import compare
from runs_app.labels import as_clusters, check_field, read_labels
from runs_app.models import DatasetDefaults, Run
from tests.factories import make_dataset, make_finished_run

pytestmark = [pytest.mark.db, pytest.mark.django_db]

N = 60
BROKEN = RuntimeError("broken")


@pytest.fixture
def tickets(project: Project, owner: User) -> Dataset:
    """60 tickets of 12 customers, five in a row each; topic a, b or c, of the last two none."""
    items: list[dict[str, Any]] = [
        {"input": f"ticket {i}", "metadata": {"customer": f"c{i // 5}", "topic": "abc"[i % 3]}}
        for i in range(N - 2)
    ]
    items += [{"input": f"ticket {i}", "metadata": {"customer": "c11"}} for i in (N - 2, N - 1)]
    return make_dataset(project, owner, items)


@pytest.fixture
def pair(tickets: Dataset, owner: User) -> tuple[Run, Run]:
    """B rises by .3 for whole customers at a time, and costs half."""
    rise = [0.3 if (i // 5) % 2 else -0.15 for i in range(N)]
    a = [0.4 + 0.001 * (i % 7) for i in range(N)]
    b = [one + more for one, more in zip(a, rise, strict=True)]
    costs = {"input_tokens": [100] * N, "output_tokens": list(range(N))}
    return (
        make_finished_run(
            tickets, owner, ["x"] * N, {"near": a}, latencies=[200.0 + i for i in range(N)],
            results=costs | {"cost_usd": [0.02] * N},
        ),
        make_finished_run(
            tickets, owner, ["x"] * N, {"near": b}, latencies=[150.0 + 0.9 * i for i in range(N)],
            results=costs | {"cost_usd": [0.01 + 0.0001 * i for i in range(N)]},
        ),
    )  # fmt: skip


def test_clusters_widen_the_interval_and_name_their_ratio(pair: tuple[Run, Run]) -> None:
    plain = compare(*pair).scorers[0]
    found = compare(*pair, cluster="metadata.customer")
    scorer = found.scorers[0]
    assert found.cluster_field == "metadata.customer"
    assert (scorer.ci_method, scorer.p_method) == ("cluster_t", "cluster_t")
    clusters = scorer.to_json()["clusters"]
    assert clusters["count"] == 12
    assert clusters["ratio"] == pytest.approx(2.2, abs=0.2)
    assert plain.ci95 is not None
    assert scorer.ci95 is not None
    assert scorer.ci95.low < plain.ci95.low
    assert (plain.code, scorer.code) == ("better", "cannot_tell")
    assert any("12 clusters" in note for note in scorer.notes)


def test_the_dataset_declares_its_clusters_and_a_comparison_may_do_without(
    pair: tuple[Run, Run], tickets: Dataset
) -> None:
    DatasetDefaults.objects.create(dataset=tickets, cluster_field="metadata.customer")
    assert compare(*pair).scorers[0].ci_method == "cluster_t"
    assert compare(*pair, cluster="").scorers[0].ci_method == "t"


def test_few_clusters_give_an_interval_and_no_verdict(pair: tuple[Run, Run]) -> None:
    found = compare(*pair, cluster="metadata.topic")
    scorer = found.scorers[0]
    # Three topics, and two tickets without one, which stand alone.
    assert scorer.difference is not None
    assert scorer.difference.clusters == 5
    assert (scorer.code, scorer.badge) == ("none", "No verdict")
    assert scorer.sentence.startswith("Too few clusters: 5 clusters, a verdict needs 10. +")
    assert scorer.ci95 is not None
    lead = found.headline[0].text
    assert lead.endswith("has too few clusters for a verdict"), "and not that a run goes on"


@pytest.mark.parametrize("field", ["metadata.nowhere", "input"])
def test_a_field_that_puts_no_items_together_is_no_cluster(
    pair: tuple[Run, Run], field: str
) -> None:
    assert compare(*pair, cluster=field).scorers[0].ci_method == "t"


def test_slices_are_judged_one_by_one_with_q_in_one_family(pair: tuple[Run, Run]) -> None:
    found = compare(*pair, slices="metadata.topic")
    assert found.slices is not None
    assert [group.name for group in found.slices.groups] == ["a", "b", "c"]
    assert [group.pairs for group in found.slices.groups] == [20, 19, 19]
    assert (found.slices.without, found.slices.more) == (2, 0)
    assert all(group.q is not None and group.q >= (group.p or 0) for group in found.slices.groups)
    whole = sum(group.pairs * (group.delta or 0) for group in found.slices.groups)
    assert found.scorers[0].delta is not None
    assert whole == pytest.approx(N * found.scorers[0].delta - 2 * 0.3)
    answer = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (answer["slices"]["exploratory"], answer["slices"]["groups"][0]["value"]) == (True, "a")


def test_latency_tokens_and_cost_are_compared_over_the_pairs(pair: tuple[Run, Run]) -> None:
    latency, tokens, cost = compare(*pair).measures
    assert (latency.name, latency.method, latency.change) == (
        "latency_ms", "hodges_lehmann", "lower",
    )  # fmt: skip
    assert latency.delta == pytest.approx(-50 - 0.1 * 29.5, abs=0.1)
    assert (tokens.a, tokens.delta, tokens.change) == (129.5, 0.0, "unclear")
    assert (cost.method, cost.change) == ("paired_t", "lower")
    assert cost.delta == pytest.approx(-0.01 + 0.0001 * 29.5)


def test_what_a_target_does_not_say_is_not_compared(tickets: Dataset, owner: User) -> None:
    a = make_finished_run(tickets, owner, ["x"] * 20, {"near": [0.5] * 20})
    b = make_finished_run(tickets, owner, [BROKEN] + ["x"] * 19, {"near": [0.5] * 20})
    latency, tokens, cost = compare(a, b).measures
    assert (latency.n, tokens.n, cost.n) == (19, 0, 0)
    assert tokens.to_json()["delta"] is None


def test_margins_are_for_single_scorers(pair: tuple[Run, Run]) -> None:
    found = compare(*pair, margin=3, margins={"near": 7})
    assert (found.margin, found.scorers[0].margin_points) == (3, 7)
    assert compare(*pair, margin=3, margins={"other": 7}).scorers[0].margin_points == 3


def test_repetitions_are_averaged_and_say_what_would_help(tickets: Dataset, owner: User) -> None:
    generator = np.random.default_rng(4)

    def run(share: float) -> Run:
        scores = (generator.random(N * 4) < share).astype(int).tolist()
        return make_finished_run(tickets, owner, ["x"] * N * 4, {"exact": scores}, repetitions=4)

    scorer = compare(run(0.5), run(0.5)).scorers[0]
    assert (scorer.pairs, scorer.kind, scorer.ci_method) == (N, "continuous", "t")
    repeated = scorer.repetitions
    assert repeated is not None
    assert (repeated.a.repetitions, repeated.a.k) == (4.0, 4)
    assert repeated.a.flaky is not None
    assert repeated.a.flaky > 40
    assert repeated.a.within == pytest.approx(0.25, abs=0.03)
    # Nothing but chance inside the items: all that differs is noise.
    assert repeated.noise_share is not None
    assert repeated.noise_share > 0.7
    assert repeated.advice == "repetitions"
    assert "More repetitions would help most" in scorer.sentence
    data = scorer.to_json()["repetitions"]
    assert data["a"]["pass_at_k"] > 0.85 > 0.15 > data["a"]["pass_hat_k"]


def test_a_run_without_repetitions_against_one_with_them(tickets: Dataset, owner: User) -> None:
    once = make_finished_run(tickets, owner, ["x"] * N, {"exact": [1, 0] * 30})
    twice = make_finished_run(tickets, owner, ["x"] * N * 2, {"exact": [1, 0] * N}, repetitions=2)
    repeated = compare(once, twice).scorers[0].repetitions
    assert repeated is not None
    assert (repeated.a.noise, repeated.b.flaky, repeated.advice) == (None, N, "repetitions")


def test_fields_are_read_from_items_as_text(tickets: Dataset, owner: User) -> None:
    run = make_finished_run(tickets, owner, ["x"] * N, {"exact": [1] * N})
    revisions = list(run.results.order_by("item_number").values_list("revision_id", flat=True))
    labels = read_labels(revisions, "metadata.customer")
    assert labels.names[:2] == ("c0", "c1")
    assert labels.codes[:6].tolist() == [0] * 5 + [1]
    missing = read_labels(revisions, "metadata.topic")
    assert missing.codes[-2:].tolist() == [-1, -1]
    assert len(set(as_clusters(missing).tolist())) == 5
    assert read_labels(revisions[:1], "input").names == ("ticket 0",)
    assert read_labels(revisions[:1], "expected_output").names == ()


@pytest.mark.parametrize("path", ["metadata", "colour", "metadata..x", "metadata." + "x" * 200, ""])
def test_what_leads_into_no_item_is_no_field(path: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_field(path, "/slices")
    assert refused.value.errors[0].pointer == "/slices"


def test_the_figures_of_runs_that_are_over_are_kept(
    pair: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compare(*pair)

    def read_again(*_: object) -> None:
        raise AssertionError("The rows are read once.")

    monkeypatch.setattr(comparing, "join", read_again)
    assert compare(*pair) == first
    with pytest.raises(AssertionError):
        compare(*pair, slices="metadata.topic")  # what items say is not kept


def test_the_items_of_a_slice_are_those_that_it_counts(pair: tuple[Run, Run]) -> None:
    sliced = compare(*pair, slices="metadata.topic").slices
    assert sliced is not None
    for group in sliced.groups:
        within = ("metadata.topic", group.name)
        page = comparing.items_page(*pair, show="improved", within=within, size=100)
        topics = {json.loads(row.item.metadata_json)["topic"] for row in page.rows}
        assert topics == {group.name}
        assert page.total == len(page.rows) == group.improved
        assert page.counts["regressed"] == group.regressed
        assert page.counts["unchanged"] == group.unchanged
    nothing = comparing.items_page(*pair, within=("metadata.topic", "nowhere"))
    assert (nothing.total, set(nothing.counts.values())) == (0, {0})


def test_an_item_of_one_run_alone_is_in_the_slice_that_it_says(
    tickets: Dataset, owner: User
) -> None:
    runs = [make_finished_run(tickets, owner, ["x"] * n, {"near": [0.5] * n}) for n in (9, 12)]
    for pair in (runs, runs[::-1]):
        counts = comparing.items_page(*pair, within=("metadata.topic", "b")).counts
        assert (counts["only_a"] + counts["only_b"], counts["unchanged"]) == (1, 3)
