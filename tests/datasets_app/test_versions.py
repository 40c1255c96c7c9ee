"""Versions: what differs between two of them, labels, and restoring one, whatever the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_app import queries, touched, version_diff
from datasets_app.actions import add_items, create_dataset, delete_item, history, update_item
from datasets_app.actions.history import restore_version, update_version
from datasets_app.actions.item_schemas import set_schemas
from datasets_app.actions.items import current_item
from datasets_app.actions.versions import content_of
from datasets_app.bulk import job as bulk_job
from datasets_app.items import parse_item
from datasets_app.models import Dataset, DatasetJob, ItemRevision
from datasets_app.version_diff import diff_counts, diff_page, find_change
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, EvalhubError, Invalid, NotFound
from tests.datasets_app.pages import change, many

pytestmark = [pytest.mark.db, pytest.mark.django_db]

Edit = tuple[str, int, int]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["add", "edit", "remove", "restore"]), st.integers(0, 5), st.integers(0, 3)
    ),
    max_size=12,
)
IDS = [None, "a", "b", "c"]


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """No worker takes part: what would have been sent is collected."""
    sent: list[tuple[Any, ...]] = []
    for module in ("evalhub.kit.dispatch", "datasets_app.leased_job"):
        monkeypatch.setattr(f"{module}.wake_now", lambda *args: sent.append(args))
    return sent


def content_at(dataset: Dataset, version: int) -> list[tuple[int, Any]]:
    return [(item.number, content_of(item)) for item in queries.items(dataset, version)]


def edit(dataset: Dataset, owner: User, edits: Sequence[Edit]) -> None:
    """Make the edits that can be made; those that a rule refuses are passed over."""
    for what, which, value in edits:
        dataset.refresh_from_db()
        numbers = [number for number, _ in content_at(dataset, dataset.version)]
        item = parse_item({"input": value, "external_id": IDS[value], "tags": ["t"] * (which % 2)})
        number = numbers[which % len(numbers)] if numbers else 0
        try:
            if what == "add":
                add_items(dataset=dataset, contents=[item], by=owner)
            elif what == "restore":
                restore_version(dataset=dataset, number=1 + which, by=owner)
            elif what == "edit" and number:
                revision = current_item(dataset, number).pk
                update_item(
                    dataset=dataset, number=number, revision=revision, content=item, by=owner
                )
            elif number:
                delete_item(dataset=dataset, number=number, by=owner)
        except EvalhubError:
            continue


def all_changes(dataset: Dataset, a: int, b: int, size: int = 2) -> list[tuple[int, str]]:
    """(number, kind) of every page, and a check that each page goes on where the last one ended."""
    found: list[tuple[int, str]] = []
    after: int | None = 0
    while after is not None:
        page = diff_page(dataset, a, b, after=after, size=size)
        assert all(row.number > after for row in page.rows)
        found += [(row.number, row.kind) for row in page.rows]
        after = page.next
    return found


def expected_changes(dataset: Dataset, a: int, b: int) -> list[tuple[int, str]]:
    before, after = dict(content_at(dataset, a)), dict(content_at(dataset, b))
    return [
        (n, "added" if n not in before else "removed" if n not in after else "changed")
        for n in sorted(before.keys() | after.keys())
        if before.get(n) != after.get(n)
    ]


@pytest.mark.parametrize("scanned", [50_000, 0], ids=["by range", "by version"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=EDITS, pair=st.tuples(st.integers(0, 12), st.integers(0, 12)))
def test_a_diff_tells_exactly_what_differs_and_turns_round(
    project: Project, owner: User, scanned: int, edits: list[Edit], pair: tuple[int, int]
) -> None:
    dataset = create_dataset(
        project=project, name=f"D{ItemRevision.objects.count()}-{len(edits)}-{id(edits)}", by=owner
    )
    many(dataset, 4, owner)
    edit(dataset, owner, edits)
    dataset.refresh_from_db()
    a, b = (min(number, dataset.version) for number in pair)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(touched, "SCANNED", scanned)
        patch.setattr(version_diff, "STEP", 2)
        there = all_changes(dataset, a, b)
        back = all_changes(dataset, b, a)
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    assert there == expected_changes(dataset, a, b)
    assert back == [(number, turned[kind]) for number, kind in there]
    counts = diff_counts(dataset, a, b)
    kinds = [kind for _, kind in there]
    assert counts.exact
    assert (counts.added, counts.changed, counts.removed) == tuple(
        kinds.count(kind) for kind in ("added", "changed", "removed")
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=EDITS, which=st.integers(1, 12), inline=st.booleans())
def test_restoring_a_version_gives_exactly_its_items_and_loses_no_history(
    project: Project, owner: User, edits: list[Edit], which: int, inline: bool
) -> None:
    dataset = create_dataset(
        project=project, name=f"R{ItemRevision.objects.count()}-{len(edits)}-{id(edits)}", by=owner
    )
    many(dataset, 4, owner)
    edit(dataset, owner, edits)
    dataset.refresh_from_db()
    number = min(which, dataset.version)
    last = dataset.version
    before = [content_at(dataset, version) for version in range(1, last + 1)]
    if number == last:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_job, "BATCH_ITEMS", 2)
        if not inline:
            patch.setattr(history, "INLINE_ITEMS", -1)
        job = restore_version(dataset=dataset, number=number, by=owner)
        if not inline:
            assert job.state == "working"
            bulk_job.work(job.pk)
            job.refresh_from_db()
    dataset.refresh_from_db()
    assert (job.state, job.message) == ("done", "")
    assert content_at(dataset, dataset.version) == before[number - 1]
    assert dataset.version == last + (before[number - 1] != before[-1])
    assert [content_at(dataset, version) for version in range(1, last + 1)] == before
    if dataset.version > last:
        made = queries.versions(dataset).get(number=dataset.version)
        found = diff_counts(dataset, last, dataset.version)
        assert (made.added, made.changed, made.removed) == (
            found.added,
            found.changed,
            found.removed,
        )
        assert made.item_count == len(before[number - 1])
        assert made.message == f"Restored v{number}"


def test_external_ids_that_changed_places_come_back(
    dataset: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_job, "BATCH_ITEMS", 1)
    for number, key in ((1, "a"), (2, "b"), (3, "c")):
        change(dataset, number, owner, external_id=key)
    kept = dataset.version
    for number, key in ((1, None), (2, "a"), (3, "b"), (1, "c")):
        change(dataset, number, owner, external_id=key)
    job = restore_version(dataset=dataset, number=kept, by=owner)
    assert job.state == "done"
    assert content_at(dataset, dataset.version) == content_at(dataset, kept)


def test_a_restore_of_items_that_break_the_schema_of_now_is_refused(
    dataset: Dataset, owner: User
) -> None:
    change(dataset, 3, owner, input={"question": "Say?"})
    change(dataset, 1, owner, input={"question": "1 + 1"})
    set_schemas(dataset=dataset, schemas={"input": {"type": "object"}}, by=owner)
    version, items = dataset.version, content_at(dataset, dataset.version)
    job = restore_version(dataset=dataset, number=1, by=owner)
    assert job.state == "failed"
    assert "does not match the schema" in job.message
    assert job.problems[0]["pointer"] == "/items/1/input"
    dataset.refresh_from_db()
    assert (dataset.version, dataset.pending_version) == (version, None)
    assert content_at(dataset, version) == items


def test_the_current_version_and_one_that_is_not_there_cannot_be_restored(
    dataset: Dataset, owner: User
) -> None:
    with pytest.raises(Conflict, match="v1 is the latest"):
        restore_version(dataset=dataset, number=1, by=owner)
    with pytest.raises(NotFound):
        restore_version(dataset=dataset, number=7, by=owner)
    assert not DatasetJob.objects.exists()


def test_a_page_of_a_diff_looks_at_a_bounded_number_of_items_and_says_where_to_go_on(
    dataset: Dataset, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(dataset, 30, owner)
    for fields in ({"tags": ["x"]}, {"tags": []}):
        for number in range(4, 34):
            change(dataset, number, owner, **fields)
    change(dataset, 33, owner, input="new")
    monkeypatch.setattr(version_diff, "LOOKED_AT", 10)
    monkeypatch.setattr(version_diff, "COUNTED", 10)
    monkeypatch.setattr(version_diff, "STEP", 5)
    page = diff_page(dataset, 2, dataset.version, size=3)
    assert (page.rows, page.next) == ([], 17)  # 4 items, then 5, then 5
    assert all_changes(dataset, 2, dataset.version) == [(33, "changed")]
    counts = diff_counts(dataset, 2, dataset.version)
    assert (counts.changed, counts.exact) == (0, False)


def test_a_kind_keeps_those_items_alone(dataset: Dataset, owner: User) -> None:
    change(dataset, 1, owner, input="new")
    delete_item(dataset=dataset, number=2, by=owner)
    many(dataset, 2, owner)
    kinds = {
        kind: [row.number for row in diff_page(dataset, 1, 4, kind=kind).rows]
        for kind in ("", "added", "changed", "removed")
    }
    assert kinds == {"": [1, 2, 4, 5], "added": [4, 5], "changed": [1], "removed": [2]}
    assert find_change(dataset, 1, 4, 3) is None


def test_a_label_belongs_to_one_version(dataset: Dataset, owner: User) -> None:
    many(dataset, 1, owner)
    update_version(dataset=dataset, number=1, by=owner, label="  release   4 ", message=" First ")
    first = queries.versions(dataset).get(number=1)
    assert (first.label, first.message) == ("release 4", "First")
    with pytest.raises(Conflict, match="v1 has the label “release 4”"):
        update_version(dataset=dataset, number=2, by=owner, label="release 4")
    update_version(dataset=dataset, number=1, by=owner, label="")
    update_version(dataset=dataset, number=2, by=owner, label="release 4")
    assert queries.versions(dataset).get(number=1).message == "First"


@pytest.mark.parametrize("label", ["v3", "12", "x" * 61, "a\x00b"])
def test_a_label_is_a_short_name_and_no_number(dataset: Dataset, owner: User, label: str) -> None:
    with pytest.raises(Invalid) as refused:
        update_version(dataset=dataset, number=1, by=owner, label=label)
    assert [error.pointer for error in refused.value.errors] == ["/label"]
