from typing import Any

import pytest

from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.drafts import compile
from datasets_app.importing.guessing import guess
from datasets_app.importing.mapping import ColumnMapping, Mapping, MappingError
from datasets_app.importing.source import Row

COLUMNS = ["id", "question", "answer", "topic"]


def routes(mapping: Mapping) -> dict[str, str]:
    return {one.column: one.destination for one in mapping.columns}


def test_options_name_columns_and_the_rest_goes_where_it_is_told() -> None:
    mapping = Mapping.from_options(
        COLUMNS, input=["question"], expected=["answer"], external_id="id", rest="metadata"
    )
    assert routes(mapping) == {
        "question": "input",
        "answer": "expected_output",
        "id": "external_id",
        "topic": "metadata",
    }
    ignoring = Mapping.from_options(COLUMNS, input=["question"], metadata=["topic"])
    assert routes(ignoring) == {
        "question": "input",
        "topic": "metadata",
        "id": "ignore",
        "answer": "ignore",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"input": ["Questoin"]},
            "The file has no column 'Questoin'. Did you mean 'question'? "
            "It has 'id', 'question', 'answer', 'topic'.",
        ),
        ({"input": ["question"], "expected": ["zzz"]}, "The file has no column 'zzz'. It has "),
        ({"input": ["question"], "external_id": "uid"}, "The file has no column 'uid'."),
        (
            {"input": ["question"], "metadata": ["question"]},
            "The column 'question' is given twice. Name each column once.",
        ),
        ({"input": ["question", "question"]}, "The column 'question' is given twice."),
        ({"input": []}, "No column goes to the input. Choose at least one."),
        ({"input": ["question"], "rest": "tags"}, "The rest can go to metadata or be ignored"),
    ],
)
def test_wrong_options_are_refused_with_the_cure(options: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError) as caught:
        Mapping.from_options(COLUMNS, **options)
    assert message in str(caught.value)


def test_a_mapping_survives_storage() -> None:
    mapping = Mapping(
        (
            ColumnMapping("question", "input", "q", "text"),
            ColumnMapping("answer", "expected_output", "answer", "number"),
        ),
        "metadata",
    )
    assert Mapping.from_dict(mapping.to_dict()) == mapping


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([("a", "nowhere", "a")], "goes to 'nowhere'"),
        ([("a", "input", "a"), ("a", "metadata", "a")], "The column 'a' is mapped twice."),
        ([("a", "input", "k"), ("b", "input", "k")], "Two columns give the key 'k' of the input."),
        (
            [("a", "input", "a"), ("b", "split", "b"), ("c", "split", "c")],
            "Only one column can give the split, not 'b' and 'c'.",
        ),
        ([("a", "metadata", "a")], "No column goes to the input."),
    ],
)
def test_a_stored_mapping_that_cannot_work_is_refused(
    columns: list[tuple[str, str, str]], message: str
) -> None:
    stored = {
        "columns": [
            {"column": column, "destination": destination, "key": key}
            for column, destination, key in columns
        ]
    }
    with pytest.raises(MappingError) as caught:
        Mapping.from_dict(stored)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "rows", "expected"),
    [
        (
            ["ID", "Question", "Ground truth", "Split", "topic"],
            [["1", "q", "a", "test", "t"], ["2", "q", "a", "test", "t"]],
            ["external_id", "input", "expected_output", "split", "metadata"],
        ),
        (["id", "prompt"], [["1", "q"], ["1", "q"]], ["metadata", "input"]),
        (["id", "prompt"], [["1", "q"], ["", "q"]], ["metadata", "input"]),
        (["text", "label"], [["x", "y"]], ["input", "expected_output"]),
        (["prompt", "question"], [["x", "y"]], ["input", "metadata"]),
        (["id"], [["1"]], ["input"]),
        (["id", "input"], [{"id": 1, "input": 1}, {"input": 1}], ["metadata", "input"]),
        (["id", "input"], [{"id": 1, "input": 1}, {"id": 2}], ["external_id", "input"]),
    ],
)
def test_a_mapping_is_guessed_from_the_names(
    columns: list[str], rows: list[Any], expected: list[str]
) -> None:
    mapping = guess(columns, rows)
    assert [one.column for one in mapping.columns] == columns
    assert [one.destination for one in mapping.columns] == expected


def test_names_with_dots_lead_into_the_parts_of_an_item_and_an_export_is_known() -> None:
    columns = ["input.q", "input.ctx.text", "expected_output", "metadata.topic", "v1.0"]
    mapping = guess(columns, [["a", "b", "c", "d", "e"]])
    assert [(one.destination, one.path) for one in mapping.columns] == [
        ("input", ("q",)),
        ("input", ("ctx", "text")),
        ("expected_output", ("expected_output",)),
        ("metadata", ("topic",)),
        ("metadata", ("v1.0",)),
    ]
    exported = ["number", "external_id:text", "input:json", "metadata:json"]
    assert [(one.destination, one.key, one.read_as) for one in guess(exported, []).columns] == [
        ("ignore", "number", "auto"),
        ("external_id", "external_id", "auto"),
        ("input", "input", "json"),
        ("metadata", "", "json"),
    ]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["a", "a.b"], "The key 'a.b' of the metadata is inside 'a'"),
        (["a..b", "c"], "a part of it is empty"),
    ],
)
def test_keys_that_cannot_be_together_are_refused(keys: list[str], message: str) -> None:
    columns = [ColumnMapping("q", "input", "q")]
    columns += [ColumnMapping(key, "metadata", key) for key in keys]
    with pytest.raises(MappingError, match=message):
        Mapping(tuple(columns))


@pytest.mark.parametrize(
    ("cells", "read_as"),
    [
        (["1", "20", "-3", ""], "number_or_text"),
        (['{"a": 1}', " [2]", ""], "json_or_text"),
        (["1", "007"], "auto"),
        (["1.1", "1.2"], "auto"),
        (["1", "high"], "auto"),
        (['{"a": 1}', '{"a": '], "auto"),
        (["{}", "5"], "auto"),
        (["", ""], "auto"),
        (["9" * 16, "1"], "auto"),
    ],
)
def test_metadata_is_guessed_to_be_what_all_its_cells_look_like(
    cells: list[str], read_as: str
) -> None:
    rows = [["what", "4", cell, cell] for cell in cells]
    mapping = guess(["question", "answer", "size", "meta.size two"], rows)
    assert [(one.destination, one.key, one.read_as) for one in mapping.columns] == [
        ("input", "question", "auto"),
        ("expected_output", "answer", "auto"),
        ("metadata", "size", read_as),
        ("metadata", "size two", read_as),
    ]


@pytest.mark.parametrize(
    ("sample", "cell", "value"),
    [
        ("10115", "01067", '"01067"'),
        ("10115", "n/a", '"n/a"'),
        ("10115", " 7", '" 7"'),
        ("10115", "-40", "-40"),
        ("10115", "", None),
        ("[1]", '{"b": [1.0]}', '{"b":[1.0]}'),
        ("[1]", "[draft] of May", '"[draft] of May"'),
        ("[1]", "5", '"5"'),
        ("[1]", " ", None),
    ],
)
def test_a_cell_that_looks_unlike_the_first_ones_stays_the_text_that_it_is(
    sample: str, cell: str, value: str | None
) -> None:
    for columns in (["question", "code"], ["question", "metadata.a.code"]):
        draft = compile(guess(columns, [["what", sample]]), columns)(Row(2, ["what", cell]))
        assert isinstance(draft, ItemDraft)
        found = "{}" if value is None else f'{{"code":{value}}}'
        assert draft.metadata_json in (found, f'{{"a":{found}}}')


def test_values_that_have_a_type_keep_it() -> None:
    rows = [{"question": "what", "size": 3}, {"question": "how", "size": "4"}]
    assert {one.read_as for one in guess(["question", "size"], rows, typed=True).columns} == {
        "auto"
    }


def test_without_a_known_name_the_input_is_a_column_of_sentences() -> None:
    columns = ["code", "aufgabe", "lösung"]
    sample = [["K-1", "Wie viel ist es?", "12"], ["K-2", "Was kostet das?", "zwei Euro"]]
    assert [one.column for one in guess(columns, sample).to("input")] == ["aufgabe"]
    names = [["K-1", "12", "3"], ["K-2", "13", "4"]]
    assert [one.column for one in guess(columns, names).to("input")] == ["code"]
