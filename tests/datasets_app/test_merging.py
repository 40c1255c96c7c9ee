"""Which side of two edits a field is taken from."""

from __future__ import annotations

from datasets_app.merging import choices


def test_fields_that_both_left_or_changed_alike_are_no_choice() -> None:
    base = {"input": 1, "split": "dev"}
    assert choices(base, {"input": 1, "split": "test"}, {"input": 1, "split": "test"}) == []


def test_the_side_that_changed_a_field_is_the_one_picked() -> None:
    base = {"input": "a", "expected_output": 1, "tags": ["x"]}
    theirs = {"input": "b", "expected_output": 1, "tags": ["x", "theirs"]}
    mine = {"input": "a", "expected_output": 2, "tags": ["x", "mine"]}
    found = {one.name: (one.pick, one.both) for one in choices(base, theirs, mine)}
    assert found == {
        "input": ("theirs", False),
        "expected_output": ("mine", False),
        "tags": ("mine", True),
    }


def test_each_side_is_a_diff_against_what_both_began_from() -> None:
    (one,) = choices({"input": "old words"}, {"input": "new words"}, {"input": "old ways"})
    assert [(part.op, part.text) for part in one.theirs] == [
        ("del", "old"),
        ("ins", "new"),
        ("same", " words"),
    ]
    assert [(part.op, part.text) for part in one.mine] == [
        ("same", "old "),
        ("del", "words"),
        ("ins", "ways"),
    ]


def test_absent_null_one_and_true_are_four_different_things() -> None:
    sides = [{}, {"expected_output": None}, {"expected_output": 1}, {"expected_output": True}]
    for mine in sides:
        for theirs in sides:
            assert bool(choices({}, theirs, mine)) == (mine is not theirs)


def test_without_a_base_theirs_stands_for_it_and_mine_is_picked() -> None:
    (one,) = choices(None, {"input": "theirs"}, {"input": "mine"})
    assert (one.pick, one.both, one.base) == ("mine", False, "theirs")
