"""Classes: the figures of one run, and the difference of two."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from runs_app.statistics.classification import OTHER, classification_difference, classify, label
from runs_app.statistics.intervals import tango

EXPECTED = ["cat", "cat", "cat", "dog", "dog", "owl"]
ONE = ["cat", "cat", "dog", "dog", "cat", "fox"]


def test_precision_recall_and_f1_by_class_and_their_macro_means():
    found = classify(label(EXPECTED, ONE))
    assert (found.n, found.accuracy) == (6, 0.5)
    assert [each.label for each in found.classes] == ["cat", "dog", "fox", "owl"]
    cat, dog, fox, owl = found.classes
    assert (cat.precision, cat.recall, cat.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (dog.precision, dog.recall, dog.f1) == pytest.approx((0.5, 0.5, 0.5))
    assert (fox.precision, fox.recall, fox.f1) == (0.0, None, 0.0)
    assert (owl.precision, owl.recall, owl.f1) == (None, 0.0, 0.0)
    assert found.macro.f1 == pytest.approx((2 / 3 + 0.5) / 4)
    assert found.macro.recall == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert found.matrix == ((2, 1, 0, 0), (1, 1, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0))


def test_many_classes_are_capped_and_the_rest_keeps_its_accuracy():
    expected = [f"c{i % 50:02d}" for i in range(500)] + ["c00"] * 100
    found = classify(label(expected, expected, most=10))
    assert (len(found.classes), found.classes[-1].label, found.accuracy) == (11, OTHER, 1.0)
    assert found.macro.expected == sum(each.expected for each in found.classes[:-1])
    wrong = ["c41" if each == "c40" else each for each in expected]
    # Both are "(other)", and are wrong all the same.
    assert classify(label(expected, wrong, most=10)).accuracy == pytest.approx(590 / 600)


def test_the_difference_of_two_runs_has_intervals_for_accuracy_and_macro_f1():
    generator = np.random.default_rng(2)
    names = np.array(["a", "b", "c"])
    expected = names[generator.integers(0, 3, 400)]
    one = np.where(generator.random(400) < 0.6, expected, "a")
    other = np.where(generator.random(400) < 0.8, expected, "a")
    labels = label(expected.tolist(), one.tolist(), other.tolist())
    found = classification_difference(labels, seed=3)
    assert found.accuracy == pytest.approx((other == expected).mean() - (one == expected).mean())
    assert found.accuracy_ci95.low > 0
    table = [[0, int(((one == expected) & (other != expected)).sum())],
             [int(((one != expected) & (other == expected)).sum()), 0]]  # fmt: skip
    assert mcnemar(table).pvalue < 0.05
    a, b = classify(labels, 0), classify(labels, 1)
    assert found.macro_f1 == pytest.approx(b.macro.f1 - a.macro.f1)
    assert found.macro_f1_ci95.low < found.macro_f1 < found.macro_f1_ci95.high
    assert found.macro_f1_ci95.low > 0
    assert classification_difference(labels, seed=3) == found


def test_the_bootstrap_is_that_of_drawing_the_items_themselves():
    generator = np.random.default_rng(5)
    expected = generator.integers(0, 2, 300).astype(str)
    one = np.where(generator.random(300) < 0.7, expected, "0")
    other = np.where(generator.random(300) < 0.75, expected, "1")
    found = classification_difference(label(list(expected), list(one), list(other)), seed=1)

    def macro(predicted, rows):
        figures = classify(label(list(expected[rows]), list(predicted[rows])))
        return figures.macro.f1

    draws = [generator.integers(0, 300, 300) for _ in range(600)]
    direct = np.quantile([macro(other, rows) - macro(one, rows) for rows in draws], [0.025, 0.975])
    assert found.macro_f1_ci95.to_json() == pytest.approx(direct.tolist(), abs=0.03)


labels = st.lists(st.tuples(*[st.sampled_from("abcd")] * 3), min_size=1, max_size=40)


@settings(deadline=None)
@given(labels)
def test_the_matrix_holds_every_item_once_and_the_diagonal_is_accuracy(rows):
    expected, one, other = (list(column) for column in zip(*rows, strict=True))
    found = classify(label(expected, one))
    matrix = np.array(found.matrix)
    assert matrix.sum() == found.n == len(rows)
    assert np.trace(matrix) / found.n == pytest.approx(found.accuracy)
    forth = classification_difference(label(expected, one, other), 1)
    back = classification_difference(label(expected, other, one), 1)
    assert back.accuracy == pytest.approx(-forth.accuracy)
    assert np.array_equal(np.array(back.matrix), -np.array(forth.matrix))


def test_labels_must_be_aligned():
    with pytest.raises(ValueError, match="aligned"):
        label(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="must be there"):
        label([], [])


def test_when_no_class_moved_macro_f1_has_no_interval_and_accuracy_keeps_one():
    found = classification_difference(label(["a", "b"] * 10, ["a"] * 20, ["a"] * 20), 1)
    assert (found.macro_f1, found.macro_f1_ci95) == (0.0, None)
    assert found.accuracy_ci95 == tango(0, 0, 20)


def test_long_labels_take_no_more_than_themselves():
    expected = [f"{'x' * 195}{n % 5_000}" for n in range(10_000)]
    tracemalloc.start()
    try:
        label(expected, expected[::-1])
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
