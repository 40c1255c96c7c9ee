"""What an export writes, the importer takes back without a word, and nothing is lost."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_app.actions import create_dataset, delete_item
from datasets_app.actions.imports import apply_import, stage_import
from datasets_app.actions.versions import content_of
from datasets_app.exporting import exported
from datasets_app.exports import open_export, parse_numbers
from datasets_app.importing.detect import detect
from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.drafts import compile
from datasets_app.importing.guessing import guess
from datasets_app.importing.rows import open_rows
from datasets_app.items import ItemContent, parse_item
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.json import dumps
from tests.datasets_app.jobs import Crash, StopAfter, ended, expire, items
from tests.datasets_app.test_exporting import ITEMS, row_of
from tests.factories import make_dataset
from tests.reference import reference_dir

FORMATS = ("csv", "json", "jsonl")

AWKWARD: list[dict[str, Any]] = [
    {
        "input": {"b": 1.0, "a": 12345678901234567890123, "c": None},
        "expected_output": None,
        "metadata": {"topic": "sum", "": "\t", "nested": {"deep": [1, "1", True]}},
        "context": {"locale": "en"},
        "tags": ["hard", "a, b", " spaced "],
        "split": " test ",
        "scorers": [],
        "external_id": "=q-1",
        "source": "by hand\r\nand more",
    },
    {"input": "plain", "context": {}, "scorers": ["exact_match"], "tags": ["a", "a"]},
    {"input": None},
    {"input": "", "expected_output": "", "split": "'quoted", "external_id": "'=1"},
    {"input": -5, "expected_output": "-5", "source": "@x"},
    {"input": 'He said "no",\nthen\r left; ü 漢 \u2028', "expected_output": []},
    {"input": "0123", "expected_output": "true", "metadata": {"number": 3}},
]


def drafted(format: str, contents: list[ItemContent]) -> list[ItemContent]:
    """The contents after a file of that format, read like an upload, with the guessed mapping."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"items.{format}"
        rows = [row_of(number, content) for number, content in enumerate(contents, 1)]
        path.write_bytes(b"".join(exported(format, rows)))
        with open_rows(path, detect(path, path.name)) as source:
            sample = [row.values for row in source]
        with open_rows(path, detect(path, path.name)) as source:
            make = compile(guess(source.columns, sample, typed=format != "csv"), source.columns)
            return [_content(make(row)) for row in source]


def _content(draft: Any) -> ItemContent:
    assert isinstance(draft, ItemDraft), draft
    return ItemContent(
        input_json=draft.input_json,
        expected_json=draft.expected_json,
        metadata_json=draft.metadata_json,
        context_json=draft.context_json,
        tags_json=dumps(draft.tags),
        scorers_json=draft.scorers_json,
        split=draft.split,
        external_id=draft.external_id,
        source=draft.source,
        content_hash=draft.content_hash,
    )


@pytest.mark.parametrize("format", FORMATS)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(given_items=st.lists(ITEMS, min_size=1, max_size=4))
def test_any_items_come_back_through_the_importer(
    format: str, given_items: list[dict[str, Any]]
) -> None:
    contents = [parse_item(one) for one in given_items]
    assert drafted(format, contents) == contents


def round_trip(source: Dataset, format: str, by: User, version: int | None = None) -> Dataset:
    """A new dataset with the file that an export of `source` gives."""
    export = open_export(source, format=format, version=version)
    copy = create_dataset(project=source.project, name=f"Copy by {format}", by=by)
    job = stage_import(dataset=copy, filename=export.filename, chunks=export.chunks, by=by)
    done = ended(apply_import(job=job, by=by, on_error="abort"))
    assert (done.state, done.rows_bad) == ("done", 0), done.problems
    return copy


def contents(dataset: Dataset) -> list[ItemContent]:
    """Of every item; an import names the line where an item that had no source came from."""
    found = [content_of(item) for item in items(dataset)]
    return [replace(one, source="") if ", line " in one.source else one for one in found]


@pytest.mark.django_db
@pytest.mark.db
@pytest.mark.parametrize("format", FORMATS)
def test_an_upload_of_an_export_is_the_same_dataset(
    format: str, project: Project, owner: User
) -> None:
    source = make_dataset(project, owner, AWKWARD)
    copy = round_trip(source, format, owner)
    assert contents(copy) == contents(source)
    assert [item.number for item in items(copy)] == [item.number for item in items(source)]


@pytest.mark.django_db
@pytest.mark.parametrize("format", FORMATS)
def test_an_older_version_comes_back_as_it_was(format: str, project: Project, owner: User) -> None:
    source = make_dataset(project, owner, AWKWARD)
    before = contents(source)
    delete_item(dataset=source, number=2, by=owner)
    copy = round_trip(source, format, owner, version=1)
    assert contents(copy) == before


@pytest.mark.django_db
@pytest.mark.db
@pytest.mark.parametrize("format", FORMATS)
def test_items_keep_their_numbers_where_others_are_gone(
    format: str, project: Project, owner: User, small_batches: None
) -> None:
    source = make_dataset(project, owner, [{"input": n} for n in range(60)])
    for number in (1, 17, 30, 60):
        delete_item(dataset=source, number=number, by=owner)
    copy = round_trip(source, format, owner)
    assert [item.number for item in items(copy)] == [item.number for item in items(source)]
    copy.refresh_from_db()
    assert copy.next_item_number == 60, "numbers go on after the last one"


@pytest.mark.django_db
@pytest.mark.db
def test_numbers_go_on_where_a_crash_left_them(
    project: Project, owner: User, small_batches: None, stop_after: StopAfter
) -> None:
    source = make_dataset(project, owner, [{"input": n} for n in range(50)])
    for number in (2, 25, 26):
        delete_item(dataset=source, number=number, by=owner)
    export = open_export(source, format="csv")
    copy = create_dataset(project=project, name="Copy", by=owner)
    job = stage_import(dataset=copy, filename=export.filename, chunks=export.chunks, by=owner)
    started = apply_import(job=job, by=owner)
    stop_after(3)
    with pytest.raises(Crash):
        ended(started)
    expire(started)
    assert ended(started).state == "done"
    assert [item.number for item in items(copy)] == [item.number for item in items(source)]


def rows(*numbers: str) -> bytes:
    lines = [f"{number},{place}" for place, number in enumerate(numbers)]
    return "\r\n".join(["number,input:json", *lines, ""]).encode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("3", "7", "20"), [3, 7, 20]),
        (("7", "3", "7", "9"), [7, 8, 9, 10]),
        (("", "x", "-2", "0", "5"), [1, 2, 3, 4, 5]),
        (("2147483647", "99999999999", "2"), [1, 2, 3]),
        (("1000000000", "900000000", "900000001"), [1, 900_000_000, 900_000_001]),
    ],
)
def test_numbers_of_a_file_are_kept_as_long_as_they_rise(
    given: tuple[str, ...], kept: list[int], project: Project, owner: User
) -> None:
    dataset = create_dataset(project=project, name="Numbered", by=owner)
    job = stage_import(dataset=dataset, filename="n.csv", chunks=[rows(*given)], by=owner)
    assert ended(apply_import(job=job, by=owner)).state == "done"
    assert [item.number for item in items(dataset)] == kept
    assert parse_numbers(",".join(map(str, kept))) == kept, "each can be named"


@pytest.mark.django_db
def test_a_dataset_with_items_numbers_on(project: Project, owner: User) -> None:
    dataset = make_dataset(project, owner, [{"input": "here"}])
    job = stage_import(dataset=dataset, filename="n.csv", chunks=[rows("7", "9")], by=owner)
    assert ended(apply_import(job=job, by=owner)).state == "done"
    assert [item.number for item in items(dataset)] == [1, 2, 3]


@pytest.mark.django_db
@pytest.mark.parametrize("format", FORMATS)
def test_gsm8k_comes_back_with_equal_hashes(format: str, project: Project, owner: User) -> None:
    file = reference_dir() / "data" / "gsm8k" / "example_model_solutions.jsonl"
    source = create_dataset(project=project, name="GSM8K", by=owner)
    job = stage_import(dataset=source, filename=file.name, chunks=[file.read_bytes()], by=owner)
    ended(apply_import(job=job, by=owner))
    assert len(items(source)) > 1_000
    copy = round_trip(source, format, owner)
    assert contents(copy) == contents(source)
