from pathlib import Path

import pytest

from datasets_app.importing.detect import Detected, detect
from datasets_app.importing.drafts import ItemDraft, compile
from datasets_app.importing.mapping import Mapping
from datasets_app.importing.problems import ImportFileError, Problem
from datasets_app.importing.rows import Row, open_rows
from datasets_app.importing.source import MAX_LINE
from evalhub.kit import json
from tests.reference import reference_dir

JSONL = Detected("jsonl", "utf-8", None)


def read(tmp_path: Path, data: str | bytes) -> tuple[list[str], list[Row | Problem]]:
    path = tmp_path / "file"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with open_rows(path, JSONL) as source:
        return source.columns, list(source)


def test_each_line_is_an_object_and_keeps_its_json_types(tmp_path: Path) -> None:
    columns, rows = read(
        tmp_path, '\ufeff{"q": 1, "a": null}\r\n\r\n \n{"a": [true], "b": {"c": 1.5}}'
    )
    assert columns == ["q", "a", "b"]
    assert rows == [Row(1, {"q": 1, "a": None}), Row(4, {"a": [True], "b": {"c": 1.5}})]


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        ('{"q": 1', "bad_json", "Not valid JSON, at character 8: "),
        ("{'q': 1}", "bad_json", "Not valid JSON, at character 2: "),
        ('{"q": NaN}', "bad_json", "NaN is not a JSON number"),
        ('{"q": ' + "7" * 5_000 + "}", "bad_json", "5,000 digits"),
        ('{"q": ' + "[" * 2_000 + "]" * 2_000 + "}", "bad_json", "nested more than"),
        ('{"q": "\\ud800"}', "bad_json", "surrogate"),
        ('{"q": "\\u0000"}', "bad_json", "NUL"),
        ('{"q": "a\0b"}', "bad_json", "Not valid JSON"),
        ("[1, 2]", "not_an_object", "The line is an array, not a JSON object."),
        ("3", "not_an_object", "The line is a number, not a JSON object."),
        ("null", "not_an_object", "The line is null, not a JSON object."),
        ('{"q": "' + "x" * MAX_LINE + '"}', "line_too_long", "over 8,388,608 characters"),
    ],
)
def test_a_bad_line_is_a_problem_with_its_number_and_the_file_goes_on(
    tmp_path: Path, line: str, kind: str, reason: str
) -> None:
    _, rows = read(tmp_path, '{"q": 1}\n' + line + '\n{"q": 3}\n')
    assert rows[0] == Row(1, {"q": 1})
    assert rows[2] == Row(3, {"q": 3})
    problem = rows[1]
    assert isinstance(problem, Problem)
    assert (problem.line, problem.kind) == (2, kind)
    assert reason in problem.reason
    assert len(problem.value) <= 200


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("\n\n", "The file is empty."),
        ("[1]\n[2]\n", "Line 1: The line is an array, not a JSON object. Write one JSON object"),
        ("{}\n", "The objects are all empty."),
        (
            json.dumps({f"k{n}": 0 for n in range(2_001)}),
            "The objects have 2,001 different keys; at most 2,000 are read.",
        ),
    ],
)
def test_a_file_without_columns_is_refused(tmp_path: Path, data: str, message: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        read(tmp_path, data)
    assert message in str(caught.value)


def test_a_wrong_byte_is_an_error_with_line_and_byte(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"^Line 2: byte 16 of the file \(0xE9\)"):
        read(tmp_path, b'{"q": 1}\n{"q": \xe9}\n')


def test_the_grade_school_file_reads_whole_with_the_mapping_of_the_readme() -> None:
    path = reference_dir() / "data/gsm8k/example_model_solutions.jsonl"
    detected = detect(path, path.name)
    assert (detected.format, detected.encoding, detected.notes) == ("jsonl", "utf-8", ())
    with open_rows(path, detected) as source:
        mapping = Mapping.from_options(
            source.columns, input=["question"], expected=["ground_truth"], rest="metadata"
        )
        draft = compile(mapping, source.columns)
        items = [draft(row) for row in source if isinstance(row, Row)]
    drafts = [item for item in items if isinstance(item, ItemDraft)]
    assert len(drafts) == len(items) == 1_319
    assert [item.line for item in drafts] == list(range(1, 1_320))
    first = drafts[0]
    assert json.loads(first.input_json).startswith("Janet’s ducks lay 16 eggs per day.")
    assert json.loads(first.expected_json or "").endswith("A: 18")
    assert list(json.loads(first.metadata_json)) == [
        name for name in source.columns if name not in ("question", "ground_truth")
    ]
    assert json.loads(first.metadata_json)["6b_finetuning"]["is_correct"] is False
