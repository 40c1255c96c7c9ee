"""Packed runs: the same figures from a handful of rows, made again whenever they are worth nothing."""

from __future__ import annotations

import numpy as np
import pytest

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.clock import in_seconds
from runs_app import packed, packing, purging, vectors
from runs_app.comparing import FIGURES, compare
from runs_app.memory import Memory
from runs_app.models import Run, RunVector
from tests.factories import make_dataset, make_finished_run

pytestmark = [pytest.mark.db, pytest.mark.django_db]

N = 40


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of 40 items count as large ones."""
    monkeypatch.setattr(vectors, "PACKED_FROM", 20)
    monkeypatch.setattr(packing, "PACKED_FROM", 20)
    monkeypatch.setattr(packing, "HEAVY", 50)
    forget()


def forget() -> None:
    vectors.MEMORY.clear()
    FIGURES.clear()


@pytest.fixture
def pair(project: Project, owner: User) -> tuple[Run, Run]:
    items = [{"input": i, "metadata": {"topic": "ab"[i % 2]}} for i in range(N)]
    dataset = make_dataset(project, owner, items)
    broken = RuntimeError("broken")
    costs = {"cost_usd": [0.1 + i / 7 for i in range(N)]}
    return (
        make_finished_run(
            dataset,
            owner,
            [broken, *["x"] * 39],
            {"near": [i / 40 for i in range(N)]},
            results=costs,
        ),
        make_finished_run(
            dataset, owner, ["x"] * N, {"near": [None, *[i / 41 for i in range(39)]]}, results=costs
        ),
    )


def test_packed_runs_give_the_figures_of_their_rows(pair: tuple[Run, Run]) -> None:
    rows = compare(*pair, slices="metadata.topic").to_json()
    for run in pair:
        packing.work(run.pk, "metadata.topic")
    # results, costs, the scorer and the field; the claim is given back
    assert RunVector.objects.count() == 8
    forget()
    for run in pair:
        run.results.all().delete()
        run.scorers.get().scores.all().delete()
    assert compare(*pair, slices="metadata.topic").to_json() == rows


def test_a_heavy_comparison_waits_until_its_runs_are_packed(pair: tuple[Run, Run]) -> None:
    assert packing.preparing(pair) == packing.Preparing(0, 6)
    packing.work(pair[0].pk)
    assert packing.preparing(pair, ["metadata.topic"]) == packing.Preparing(3, 8)
    packing.work(pair[1].pk)
    assert packing.preparing(pair) is None


def test_a_light_comparison_waits_for_nothing(
    pair: tuple[Run, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "HEAVY", 80)
    assert packing.preparing(pair) is None


def test_what_was_packed_before_a_rescore_is_worth_nothing(pair: tuple[Run, Run]) -> None:
    run = pair[0]
    packing.work(run.pk)
    run.scorers.get().scores.filter(item_number=2).update(value=1.0)
    run.score_revision += 1
    run.save()
    found = vectors.results_of(run)
    assert vectors.values_of(run, run.scorers.get(), found)[1] == 1.0
    packing.work(run.pk)
    assert set(RunVector.objects.values_list("key", flat=True)) == {vectors.key_of(run)}


def test_of_two_workers_one_packs_a_run(pair: tuple[Run, Run]) -> None:
    run = pair[0]
    claim = RunVector.objects.create(run=run, kind=packing.CLAIM, key="", data=b"")
    packing.work(run.pk)
    assert RunVector.objects.count() == 1
    # The other one died a while ago.
    RunVector.objects.filter(pk=claim.pk).update(made_at=in_seconds(-packing.CLAIM_SECONDS - 1))
    packing.work(run.pk)
    assert RunVector.objects.count() == 3


def test_repetitions_are_packed_with_their_variances(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, [{"input": i} for i in range(12)])
    run = make_finished_run(dataset, owner, ["x"] * 36, {"exact": [1, 0, 1] * 12}, repetitions=3)
    scorer, found = run.scorers.get(), vectors.results_of(run)
    rows = vectors.moments_of(run, scorer, found)
    packing.work(run.pk)
    forget()
    again = vectors.moments_of(run, scorer, vectors.results_of(run))
    for name in ("mean", "variance", "count"):
        assert np.array_equal(getattr(again, name), getattr(rows, name))


def test_a_purge_takes_back_what_items_said(pair: tuple[Run, Run]) -> None:
    run = pair[0]
    packing.work(run.pk, "metadata.topic")
    assert RunVector.objects.filter(kind__startswith="label:").exists()
    dataset: Dataset | None = run.dataset
    assert dataset is not None
    purging.forget_item(dataset_id=dataset.pk, project_id=run.project_id, number=1, inputs=[])
    assert not RunVector.objects.filter(kind__startswith="label:").exists()


def test_vectors_go_with_their_run(pair: tuple[Run, Run]) -> None:
    packing.work(pair[0].pk)
    pair[0].delete()
    assert RunVector.objects.count() == 0


@pytest.mark.parametrize(
    "values",
    [
        np.array([], dtype=np.int64),
        np.array([5, 1, 2**40, -7], dtype=np.int64),
        np.arange(1_000),
        np.array([True, False]),
        np.array([0.0, 1.0, np.nan]),
        np.array([0.1, 1 / 3, 1e300]),
    ],
    ids=["none", "any whole", "rising", "yes or no", "short floats", "long floats"],
)
def test_arrays_come_back_as_they_were(values: np.ndarray) -> None:
    arrays, extra = packed.load(packed.dump({"one": values, "other": values[:1]}, extra=["ä"]))
    assert arrays["one"].dtype == values.dtype
    assert np.array_equal(arrays["one"], values, equal_nan=values.dtype.kind == "f")
    assert (len(arrays["other"]), extra) == (min(1, len(values)), ["ä"])


def test_a_million_rising_numbers_take_next_to_nothing() -> None:
    assert len(packed.dump({"numbers": np.arange(1_000_000)})) < 10_000


def test_memory_forgets_what_was_unused_longest() -> None:
    memory, made = Memory(limit_bytes=100), []

    def get(key: str, size: int = 40) -> str:
        def make() -> str:
            made.append(key)
            return key

        return memory.get(key, make, lambda _: size)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert get(key) == key
    assert made == ["a", "b", "c", "b"]
    get("huge", size=60)
    get("huge", size=60)
    assert made[-2:] == ["huge", "huge"]
