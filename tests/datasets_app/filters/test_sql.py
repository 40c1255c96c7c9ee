"""Both databases say of every item what `matches` says."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets_app.filter_sql import Condition
from datasets_app.filters import Filter, matches, parse
from datasets_app.models import Dataset, ItemRevision
from datasets_app.search_sql import Search
from evalhub.access.models import Project
from tests.datasets_app.filters.strategies import TEXTS, Item, filters, items

ROWS = 12
pytestmark = [pytest.mark.db, pytest.mark.django_db]


def _add(project: Project, given: list[Item]) -> Dataset:
    dataset = Dataset.objects.create(project=project, slug="generated", name="Generated")
    rows = [
        ItemRevision(
            dataset=dataset,
            **(asdict(item) | {"number": place, "external_id": None}),
            content_hash="",
        )
        for place, item in enumerate(given, start=1)
    ]
    for row, item in zip(rows, given, strict=True):
        row.version_to = 1_000 + row.number  # then no external id has to be unique
        row.external_id = item.external_id
    ItemRevision.objects.bulk_create(rows)
    return dataset


@given(st.lists(items, min_size=ROWS, max_size=ROWS), st.lists(filters, min_size=8, max_size=8))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_filter_in_sql_is_the_filter(
    project: Project, given: list[Item], wanted: list[Filter]
) -> None:
    dataset = _add(project, given)
    try:
        rows = list(ItemRevision.objects.filter(dataset=dataset))
        for filter in wanted:
            expected = {row.number for row in rows if matches(filter, row)}
            found = ItemRevision.objects.filter(Condition(filter), dataset=dataset)
            assert {row.number for row in found} == expected, filter
            rest = ItemRevision.objects.exclude(Condition(filter)).filter(dataset=dataset)
            assert {row.number for row in rest} == {row.number for row in rows} - expected
    finally:
        ItemRevision.objects.filter(dataset=dataset).delete()
        dataset.delete()


@pytest.mark.parametrize(
    "text",
    [
        """metadata."'); DROP TABLE x; --" = "a" """,
        """metadata."%s" = "%s" and split = "100%" """,
        """input contains "'" or source contains "%'" """,
        """metadata."a\\"b"[0] = "\\\\" """,
    ],
)
def test_no_text_is_read_as_sql(project: Project, text: str) -> None:
    assert not ItemRevision.objects.filter(Condition(parse(text))).exists()


@pytest.mark.parametrize("text", [text for text in TEXTS if text])
def test_a_search_finds_a_text_where_it_stands(project: Project, text: str) -> None:
    from evalhub.kit.json import dumps

    def item(**fields: str) -> Item:
        empty = {"input_json": "0", "expected_json": None, "metadata_json": "{}", "tags_json": "[]"}
        rest = {"split": "", "external_id": None, "source": "", "number": 1, "version_from": 1}
        return Item(**(empty | rest | fields))  # type: ignore[arg-type]

    around = f"x{text}x"
    dataset = _add(
        project,
        [
            item(input_json=dumps({"q": [around]})),
            item(expected_json=dumps(around.upper())) if text.isascii() else item(input_json=dumps(around)),
            item(metadata_json=dumps({"k": around})),
            item(external_id=around),
            item(input_json='"nothing of it"' if text not in "nothing of it" else '"zzz"'),
        ],
    )  # fmt: skip
    found = ItemRevision.objects.filter(Search(text), dataset=dataset)
    assert [row.number for row in found.order_by("number")] == [1, 2, 3, 4]
