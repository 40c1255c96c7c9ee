"""Comparisons of what nobody should compare, and of what no page expects: honest words each time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from datasets_app.actions import delete_dataset
from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app import states
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run, make_run, make_scorers, questions

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

BROKEN = RuntimeError("the target is gone")
SCRIPT = "<script>alert('x')</script><img src=x onerror=alert(1)>"
ARABIC = "مرحبا بالعالم"
EMOJI = "👩‍👩‍👧‍👦 🇺🇳 ✅"
LONG = "label " * 1_700  # 10,200 characters
HUGE = "word " * 210_000  # 1 MB


@dataclass(frozen=True)
class Case:
    """Two runs over n items, and what the page must say of them and must not."""

    a: list[object]
    b: list[object]
    scores_a: list[float | None]
    scores_b: list[float | None]
    says: list[str]
    never: list[str] = field(default_factory=list)
    open: int = 0
    topics: list[str] = field(default_factory=list)
    more: str = ""


def same(n: int, output: object = "x", **more: object) -> dict[str, object]:
    return {
        "a": [output] * n,
        "b": [output] * n,
        "scores_a": [1.0, 0.0] * (n // 2) + [1.0] * (n % 2),
        "scores_b": [1.0, 0.0] * (n // 2) + [1.0] * (n % 2),
    } | more


CASES = {
    "all errors in B": Case(
        ["x"] * 20,
        [BROKEN] * 20,
        [1.0] * 20,
        [1.0] * 20,
        ["20 errored in B", "Too few items", "No result succeeded.", "with an error in A or B"],
        [">Better<", ">Worse<"],
    ),
    "all errors in both": Case(
        [BROKEN] * 20,
        [BROKEN] * 20,
        [1.0] * 20,
        [1.0] * 20,
        ["20 errored in A", "20 errored in B", "Too few items"],
    ),
    "more than 5% errors": Case(
        ["x"] * 20,
        ["x"] * 18 + [BROKEN] * 2,
        [0.0] * 20,
        [1.0] * 20,
        ["Check exclusions", "check what is left out first", "2 of 20 pairs (10.0%) are left out"],
    ),
    "constant scores": Case(
        ["x"] * 30,
        ["x"] * 30,
        [1.0] * 30,
        [1.0] * 30,
        ["No item changed. With n = 30 a true change of up to", "No change"],
        ["p = 0.0"],
    ),
    "scores that nobody gave": Case(
        ["x"] * 12, ["x"] * 12, [None] * 12, [None] * 12, ["12 not scored", "Too few items"]
    ),
    "one item": Case(["x"], ["y"], [0.0], [1.0], ["1 item is in both runs", "Too few items"]),
    "outputs of 1 MB": Case(
        **same(10, HUGE, open=1, says=["Only the first 20,000 characters of each are compared."])  # type: ignore[arg-type]
    ),
    "right-to-left text": Case(
        **same(
            10, ARABIC, open=2, says=[ARABIC], topics=[ARABIC] * 10, more="&slice=metadata.topic"
        )  # type: ignore[arg-type]
    ),
    "emoji": Case(**same(10, EMOJI, open=3, says=[EMOJI])),  # type: ignore[arg-type]
    "HTML in outputs and slices": Case(
        **same(  # type: ignore[arg-type]
            10, SCRIPT, open=4, says=[], topics=[SCRIPT] * 10, more="&slice=metadata.topic"
        )
    ),
    "labels of 10,000 characters": Case(
        **same(12, LONG, says=[], topics=[LONG] * 12, more="&slice=metadata.topic")  # type: ignore[arg-type]
    ),
    "a field that is none": Case(
        **same(12, more="&slice=nonsense&cluster=also.none", says=["is no field of an item"])  # type: ignore[arg-type]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_page_of_odd_input_is_whole_and_says_what_it_is(
    name: str, project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    case = CASES[name]
    rows = questions(len(case.a))
    for row, topic in zip(rows, case.topics, strict=False):
        row["metadata"] = {"topic": topic}
    dataset = make_dataset(project, owner, rows)
    a = make_finished_run(dataset, owner, case.a, {"answer": case.scores_a})
    b = make_finished_run(dataset, owner, case.b, {"answer": case.scores_b})
    client = client_for(viewer)
    url = address(project, a, b) + case.more + (f"&f=unchanged&i={case.open}" if case.open else "")
    page = client.get(url)
    html = page.content.decode()
    assert page.status_code == 200
    for words in case.says:
        assert words in unescape(html), words
    for words in case.never:
        assert words not in html, words
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "nan" not in html.lower().split()
    assert len(html) < 1_000_000
    for format in ("html", "md", "csv", "json"):
        report = client.get(
            address(project, a, b, "compare_report") + f"{case.more}&format={format}"
        )
        assert report.status_code == 200
        if format == "html":
            assert "<script>alert" not in report.content.decode()
    if case.topics:  # the items of that slice, from its counts
        line = page.context["slices"][0]
        opened = client.get(line.unchanged_url.partition("#")[0])
        assert opened.context["items"].page.total == line.c.unchanged == len(case.a)
        assert "<script>alert" not in opened.content.decode()
    third = make_finished_run(dataset, owner, case.b, {"answer": case.scores_b})
    many = client.get(f"{address(project, a, b)}&run={third.number}{case.more}")
    assert many.status_code == 200
    assert "<script>alert" not in many.content.decode()


@pytest.mark.parametrize("text", [SCRIPT, ARABIC, EMOJI, "W" * 100])
def test_odd_names_errors_and_classes_are_text_everywhere(
    text: str, project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    rows = questions(12)
    for place, row in enumerate(rows):
        row["expected_output"] = (text[:60], "plain")[place % 2]
    dataset = make_dataset(project, owner, rows, name=text)
    broken = RuntimeError(text * 100)
    runs = [
        make_finished_run(dataset, owner, [*outputs, broken], {text: [1.0] * 12}, name=text * 2)
        for outputs in ([text[:60]] * 11, ["plain"] * 11, [text] * 11)
    ]
    client = client_for(viewer)
    pair = address(project, runs[0], runs[1])
    pages = [
        pair,
        pair.replace("/compare?", "/compare/classes?"),
        f"{pair}&slice=expected_output&f=errors&i=12",
        f"{pair}&run={runs[2].number}",
        f"{reverse('runs:compare', args=[project.slug])}?run={runs[0].number}",
        f"{reverse('runs:compare', args=[project.slug])}?dataset={dataset.slug}",
    ]
    for url in pages:
        page = client.get(url)
        html = page.content.decode()
        assert page.status_code == 200, url
        assert text[:40] in unescape(html), url
        assert "<script>alert" not in html
        assert "<img src=x" not in html
    for format in ("html", "md", "csv", "json"):
        report = client.get(f"{pair.replace('/compare?', '/compare/report?')}&format={format}")
        assert report.status_code == 200
        if format == "html":
            assert "<script>alert" not in report.content.decode()


def test_runs_of_different_datasets_without_a_common_item_say_that_nothing_pairs(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    one = make_dataset(project, owner, questions(12))
    other = make_dataset(project, owner, [{"input": f"else {i}"} for i in range(12)])
    a = make_finished_run(one, owner, ["x"] * 12, {"answer": [1.0] * 12})
    b = make_finished_run(other, owner, ["x"] * 12, {"answer": [0.0] * 12})
    html = client_for(viewer).get(address(project, a, b)).content.decode()
    assert "0 items are in both runs with the same content." in html
    assert "The runs are of two datasets" in html
    assert "None does: there is nothing to compare but what each run took." in html
    assert "Too few items" in html
    third = make_finished_run(other, owner, ["x"] * 12, {"answer": [1.0] * 12})
    many = client_for(viewer).get(f"{address(project, a, b)}&run={third.number}").content.decode()
    assert "0 items of the baseline are in all 3 runs" in many
    assert "No item in common" in many


def test_runs_of_a_deleted_dataset_are_compared_and_the_page_says_so(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    dataset, a, b = pair(project, owner)
    delete_dataset(dataset=dataset, by=owner)
    page = client_for(viewer).get(address(project, a, b))
    assert page.status_code == 200
    assert f"The dataset {dataset.name} was deleted." in page.content.decode()
    third = make_finished_run(dataset, owner, ["x"] * 12, {"answer": [1.0] * 12})
    many = client_for(viewer).get(f"{address(project, a, b)}&run={third.number}")
    assert f"The dataset {dataset.name} was deleted." in many.content.decode()


def test_a_deleted_run_is_not_found(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    _dataset, a, b = pair(project, owner)
    Run.objects.filter(pk=b.pk).update(deleted_at=Now())
    assert client_for(viewer).get(address(project, a, b)).status_code == 404


def test_a_report_of_a_run_that_goes_on_has_means_and_no_verdict(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    dataset, a, _b = pair(project, owner)
    going = make_run(dataset, owner, 12, status=states.RUNNING)
    make_scorers(going, {"answer": [1, 0]}, {})
    report = client_for(viewer).get(address(project, a, going, "compare_report") + "&format=md")
    text = report.content.decode()
    assert report.status_code == 200
    assert "No verdict" in text
    assert "Better" not in text.replace("| Better |", "")


def pair(project: Project, owner: User) -> tuple[Dataset, Run, Run]:
    dataset = make_dataset(project, owner, questions(12))
    a = make_finished_run(dataset, owner, ["x"] * 12, {"answer": [0.0] * 12})
    b = make_finished_run(dataset, owner, ["x"] * 12, {"answer": [1.0] * 12})
    return dataset, a, b


def address(project: Project, a: Run, b: Run, name: str = "compare") -> str:
    return f"{reverse(f'runs:{name}', args=[project.slug])}?run={a.number}&run={b.number}"
