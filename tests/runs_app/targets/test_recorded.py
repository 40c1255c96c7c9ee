"""Outputs that exist already: in the item, in an uploaded file, of another run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from datasets_app.actions import add_items
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, Invalid
from runs_app import targets
from runs_app.actions.recordings import create_recording, delete_recording
from runs_app.actions.targets import save_target
from runs_app.models import RecordedOutput, Recording
from runs_app.targets.base import ItemCall, TargetFailure
from runs_app.targets.trace import Trace
from tests.factories import make_dataset, make_finished_run, questions

pytestmark = pytest.mark.db


def item(number: int, external_id: str | None = None, repetition: int = 0) -> ItemCall:
    return ItemCall(number, external_id, '"x"', '{"gpt": {"answer": 4}}', None, repetition)


def outputs(
    ref: str, project: Project, items: Sequence[ItemCall], dataset: Any = None
) -> list[Any]:
    """What the target gives for each item, a failure as its type."""
    found = targets.find(ref, project.slug, dataset_id=dataset.pk if dataset else None)
    target = targets.build(found.snapshot(), project.slug)
    target.prepare(items)

    async def all() -> list[Any]:
        given = []
        for one in items:
            try:
                given.append(await target.call(one, Trace()))
            except TargetFailure as failure:
                given.append(failure.type)
        return given

    assert target.instant
    return asyncio.run(all())


def upload(
    project: Project, by: User, content: str, name: str = "outputs.csv", **options: Any
) -> Recording:
    options = {"key_column": "id", "output_column": "answer"} | options
    return create_recording(
        project=project,
        name="Answers",
        filename=name,
        chunks=[content.encode()],
        by=by,
        **options,
    )


def test_a_path_reads_the_item(project: Project) -> None:
    assert outputs("recorded:metadata.gpt.answer", project, [item(1)]) == ["4"]
    assert outputs("recorded:input", project, [item(1)]) == ['"x"']
    assert outputs("recorded:metadata.no", project, [item(1)]) == ["no_recorded_output"]
    assert outputs("recorded:context.x", project, [item(1)]) == ["no_recorded_output"]
    with pytest.raises(Invalid):
        targets.find("recorded:expected_output", project.slug)


def test_a_file_keyed_by_number_gives_texts(project: Project, editor: User) -> None:
    recording = upload(project, editor, 'id,answer\n1,"four, or 4"\n#3,5\n')
    assert (recording.slug, recording.rows, recording.key_field) == ("answers", 2, "number")
    items = [item(1), item(2), item(3), item(1, repetition=1)]
    given = outputs("file:answers", project, items)
    assert given == ['"four, or 4"', "no_recorded_output", '"5"', '"four, or 4"']


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", 'id,answer\nq-1,"{""n"": 1}"\n'),
        ("a.tsv", 'id\tanswer\nq-1\t{"n": 1}\n'.replace('{"n": 1}', '"{""n"": 1}"')),
        ("a.jsonl", '{"id": "q-1", "answer": {"n": 1}}\n'),
        ("a.jsonl", '{"id": "q-1", "answer": "{\\"n\\": 1}"}\n'),
        ("a.json", '[{"id": "q-1", "answer": {"n": 1}}]'),
    ],
)
def test_every_format_is_read_as_json(
    project: Project, editor: User, name: str, content: str
) -> None:
    upload(project, editor, content, name, key_field="external_id", read_as="json")
    items = [item(9, "q-1"), item(8, "q-2"), item(7)]
    given = outputs("file:answers", project, items)
    assert given == ['{"n":1}', "no_recorded_output", "no_recorded_output"]


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        ("id,answer\n1,a\n1,b\n", "a.csv", "Line 3: id 1 is on line 2 already."),
        ("id,answer\n,a\n", "a.csv", "Line 2: id is missing"),
        ("id,answer\nx,a\n", "a.csv", "Line 2: “x” is no item number."),
        ("id,answer\n0,a\n", "a.csv", "Line 2: There are no items with the number 0."),
        ("id,answer\n1,a,b\n", "a.csv", "Line 2: The row has 3 cells"),
        ('{"id": 1}\n{"id": 2, "answer": 1}', "a.jsonl", "Line 1: There is no answer."),
        ('{"id": 1, "answer": "x"}\n{', "a.jsonl", "Line 2: Not valid JSON"),
        ('[{"id": 1, "answer": 1}, 3]', "a.json", "Element 2: This is not a JSON object."),
        ("[", "a.json", "File, line 1"),
        ("id,other\n1,a\n", "a.csv", "The file has no column “answer”. It has: id, other."),
        ("", "a.csv", "The file is empty."),
    ],
)
def test_a_file_with_a_fault_is_refused_whole_and_names_the_line(
    project: Project, editor: User, content: str, name: str, says: str
) -> None:
    with pytest.raises(Invalid) as caught:
        upload(project, editor, content, name)
    assert says in caught.value.detail
    assert not Recording.objects.exists()
    assert not RecordedOutput.objects.exists()


def test_json_that_cannot_be_read_is_named_by_its_line(project: Project, editor: User) -> None:
    content = "id,answer\n1,3\n2,{broken\n3,{worse\n"
    with pytest.raises(Invalid) as caught:
        upload(project, editor, content, read_as="json")
    assert [error.pointer for error in caught.value.errors] == ["/file", "/file"]
    assert caught.value.errors[0].detail.startswith("Line 3: answer")
    assert "2 rows have a problem. Nothing was saved." in caught.value.detail


def test_two_recordings_of_one_name_get_slugs_of_their_own(project: Project, editor: User) -> None:
    made = [upload(project, editor, "id,answer\n1,a\n").slug for _ in range(2)]
    assert made == ["answers", "answers-2"]


def test_a_recording_that_a_target_reads_stays(project: Project, editor: User) -> None:
    recording = upload(project, editor, "id,answer\n1,a\n")
    save_target(
        project=project,
        name="Last week",
        kind="agent",
        transport="recorded",
        config={"recording": "answers"},
        by=editor,
    )
    with pytest.raises(Conflict, match="Last week"):
        delete_recording(recording=recording, by=editor)
    assert outputs("last-week", project, [item(1)]) == ['"a"']


def test_a_recording_that_is_gone_is_an_error_of_each_item(project: Project, editor: User) -> None:
    recording = upload(project, editor, "id,answer\n1,a\n")
    snapshot = targets.find("file:answers", project.slug).snapshot()
    delete_recording(recording=recording, by=editor)
    target = targets.build(snapshot, project.slug)
    target.prepare([item(1)])
    with pytest.raises(TargetFailure, match="no recording “answers” any more"):
        asyncio.run(target.call(item(1), Trace()))
    with pytest.raises(Invalid, match="Upload it first"):
        targets.find("file:answers", project.slug)


def test_another_run_gives_its_outputs_and_its_errors_again(
    project: Project, dataset: Dataset, editor: User
) -> None:
    run = make_finished_run(dataset, editor, ["2", TimeoutError("too slow")], {"exact": [1, None]})
    items = [item(1), item(2), item(3), item(1, repetition=2)]
    given = outputs(f"run:{run.number}", project, items, dataset)
    assert given == ['"2"', "TimeoutError", "no_recorded_output", '"2"']


def test_a_run_over_another_dataset_is_read_by_external_id(
    project: Project, dataset: Dataset, editor: User
) -> None:
    run = make_finished_run(dataset, editor, ["2", {"answer": 4}], {"exact": [1, 1]})
    other = make_dataset(project, editor, questions(2))
    items = [item(1, "q-2"), item(2), item(3, "q-3")]
    given = outputs(f"run:{run.number}", project, items, other)
    assert given == ['{"answer":4}', "no_recorded_output", "no_recorded_output"]


def test_a_saved_target_that_reads_a_run_is_told_the_dataset(
    project: Project, dataset: Dataset, editor: User
) -> None:
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]})
    save_target(
        project=project,
        name="Baseline",
        kind="agent",
        transport="recorded",
        config={"run": run.number},
        by=editor,
    )
    assert outputs("baseline", project, [item(1)], dataset) == ['"2"']
    assert outputs("baseline", project, [item(1)]) == ["no_recorded_output"]


@pytest.mark.parametrize("ref", ["run:9", "run:x", "run:", "run:99999999999999", "run:-1"])
def test_a_run_that_is_not_there_is_refused(project: Project, dataset: Dataset, ref: str) -> None:
    with pytest.raises(Invalid, match="no run"):
        targets.find(ref, project.slug)


def test_a_run_that_goes_on_is_refused(project: Project, dataset: Dataset, editor: User) -> None:
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]}, status="running")
    with pytest.raises(Invalid, match="not over yet"):
        targets.find(f"run:{run.number}", project.slug)


def test_a_claim_is_read_in_few_queries_however_large_it_is(
    project: Project, editor: User, stranger: User
) -> None:
    from django.db import connection

    payloads = [{"input": n, "external_id": f"e{n}"} for n in range(1, 301)]
    dataset = make_dataset(project, editor, payloads)
    run = make_finished_run(dataset, editor, list(range(300)), {"exact": [1] * 300})
    upload(project, editor, "id,answer\n" + "".join(f"{n},x\n" for n in range(1, 301)))
    items = [item(n, f"e{n}") for n in range(1, 301)]
    for ref, on, most in (
        (f"run:{run.number}", dataset, 2),
        ("file:answers", None, 2),
        (f"run:{run.number}", None, 3),
    ):
        found = targets.find(ref, project.slug, dataset_id=on.pk if on else None)
        target = targets.build(found.snapshot(), project.slug)
        with CaptureQueriesContext(connection) as queries:
            target.prepare(items)
        assert len(queries) <= most
        assert asyncio.run(target.call(items[299], Trace())) in ("299", '"x"')


def test_another_project_reads_none_of_it(
    project: Project, dataset: Dataset, editor: User, stranger: User
) -> None:
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]})
    upload(project, editor, "id,answer\n1,a\n")
    for ref in (f"run:{run.number}", "file:answers"):
        with pytest.raises(Invalid):
            targets.find(ref, "elsewhere")


def test_a_version_of_the_dataset_that_came_later_changes_nothing(
    project: Project, dataset: Dataset, editor: User
) -> None:
    run = make_finished_run(dataset, editor, ["2"], {"exact": [1]})
    add_items(dataset=dataset, contents=[parse_item({"input": "new"})], by=editor)
    assert outputs(f"run:{run.number}", project, [item(1)], dataset) == ['"2"']
