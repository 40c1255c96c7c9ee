"""Which results of two runs belong together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from runs_app.pairing import Identity, Pairs, pair_by_identity, pair_by_number


def by_number(a: dict[int, int], b: dict[int, int], contents: dict[int, str]) -> Pairs:
    """Pair runs given as {item number: revision}; `contents` are those of the revisions."""

    def identify(revisions: Sequence[int]) -> list[Identity]:
        return [Identity(None, contents[revision]) for revision in revisions]

    return pair_by_number(
        (np.array(list(a), dtype=np.int64), np.array(list(b), dtype=np.int64)),
        (np.array(list(a.values()), dtype=np.int64), np.array(list(b.values()), dtype=np.int64)),
        identify,
    )


def places(pairs: Pairs) -> dict[str, list[object]]:
    return {
        "pairs": list(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)),
        "changed": list(zip(pairs.changed_a.tolist(), pairs.changed_b.tolist(), strict=True)),
        "only_a": pairs.only_a.tolist(),
        "only_b": pairs.only_b.tolist(),
    }


def test_items_of_one_dataset_meet_by_number_and_content() -> None:
    pairs = by_number(
        {1: 10, 2: 20, 3: 30, 5: 50},
        {2: 20, 3: 31, 4: 40, 5: 51},
        {30: "old", 31: "new", 50: "same", 51: "same"},
    )
    assert places(pairs) == {
        "pairs": [(1, 0), (3, 3)],
        "changed": [(2, 1)],
        "only_a": [0],
        "only_b": [2],
    }


def test_equal_revisions_are_not_looked_up() -> None:
    assert places(by_number({1: 10}, {1: 10}, {}))["pairs"] == [(0, 0)]


def test_runs_without_results_have_no_pairs() -> None:
    assert places(by_number({}, {1: 10}, {})) == {
        "pairs": [],
        "changed": [],
        "only_a": [],
        "only_b": [0],
    }
    assert places(pair_by_identity([], []))["pairs"] == []


def identities(*items: tuple[str | None, str]) -> list[Identity]:
    return [Identity(*item) for item in items]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        pytest.param(
            identities(("x", "1"), ("y", "2")),
            identities(("y", "2"), ("x", "1")),
            {"pairs": [(0, 1), (1, 0)], "changed": [], "only_a": [], "only_b": []},
            id="by external id",
        ),
        pytest.param(
            identities(("x", "1")),
            identities(("x", "2")),
            {"pairs": [], "changed": [(0, 0)], "only_a": [], "only_b": []},
            id="an equal external id with other content is a change",
        ),
        pytest.param(
            identities((None, "1"), (None, "2")),
            identities((None, "2"), (None, "3")),
            {"pairs": [(1, 0)], "changed": [], "only_a": [0], "only_b": [1]},
            id="by content without external ids",
        ),
        pytest.param(
            identities((None, "1"), (None, "1")),
            identities((None, "1")),
            {"pairs": [], "changed": [], "only_a": [0, 1], "only_b": [0]},
            id="content that stands twice pairs with nothing",
        ),
        pytest.param(
            identities(("x", "1"), (None, "1")),
            identities(("x", "1"), ("z", "1")),
            {"pairs": [(0, 0), (1, 1)], "changed": [], "only_a": [], "only_b": []},
            id="what external ids paired no longer makes content ambiguous",
        ),
    ],
)
def test_items_of_two_datasets_meet_by_identity(
    ours: list[Identity], theirs: list[Identity], expected: dict[str, list[object]]
) -> None:
    assert places(pair_by_identity(ours, theirs)) == expected
