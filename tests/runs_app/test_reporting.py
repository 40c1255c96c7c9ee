"""A comparison as a file: what stands in it, that it stands alone, and that no text is markup."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from evalhub.access.models import Project, User
from runs_app.models import Run
from runs_app.reporting import Report, Section, Table, as_csv, as_html, as_markdown
from tests.factories import make_dataset, make_finished_run, questions

ClientFor = Callable[..., Client]
N = 40


def report(text: str = "plain", **figures: Any) -> Report:
    return Report(
        title=text,
        subtitle=text,
        address="https://evalhub.example/p/x/compare?run=1&run=2",
        lead=(text,),
        sections=(Section(text, (text,), Table((text, "n"), ((text, "1"),))),),
        figures=(figures,),
        data={},
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_html_carries_its_rules_and_fetches_nothing() -> None:
    parser = Tags()
    parser.feed(as_html(report(), "p { margin: 0 }"))
    names = {name for name, _ in parser.seen}
    assert "style" in names
    assert not names & {"script", "link", "img", "iframe", "form"}
    assert [attrs["href"] for name, attrs in parser.seen if name == "a"] == [report().address]


def test_no_text_becomes_markup_in_html() -> None:
    text = as_html(report("<b>bold</b> & </style><script>x</script>"), "")
    assert "<b>" not in text
    assert "<script>" not in text
    assert "&lt;b&gt;bold&lt;/b&gt; &amp;" in text


def test_no_rule_ends_the_style_element() -> None:
    assert "</style><script>" not in as_html(report(), "a::after { content: '</style><script>' }")


def test_no_text_becomes_markup_in_markdown() -> None:
    text = as_markdown(report("a|b *c* [d](e) `f`\n# g"))
    assert "# a\\|b \\*c\\* \\[d\\](e) \\`f\\` \\# g" in text
    assert "\n# g" not in text
    assert all(
        line.count("|") - line.count("\\|") == 3 for line in text.splitlines() if line[:1] == "|"
    )


def test_csv_is_unrounded_and_computes_nothing() -> None:
    text = as_csv(report(scorer="=HYPERLINK(1)", delta=0.1234567890123, p=None, minus=-0.5))
    assert text.startswith("\ufeff")
    row = next(iter(csv.DictReader(io.StringIO(text[1:]))))
    assert row == {
        "scorer": "'=HYPERLINK(1)",
        "delta": "0.1234567890123",
        "p": "",
        "minus": "-0.5",
    }


@pytest.fixture
def runs(project: Project, owner: User) -> list[Run]:
    dataset = make_dataset(project, owner, questions(N))
    return [
        make_finished_run(
            dataset,
            owner,
            ["x"] * N,
            {"answer": [1] * n + [0] * (N - n), "close": [0.25, 0.5] * 20},
        )
        for n in (10, 30, 32)
    ]


def address(project: Project, runs: list[Run], format: str) -> str:
    here = reverse("runs:compare_report", args=[project.slug])
    return f"{here}?{'&'.join(f'run={run.number}' for run in runs)}&format={format}"


@pytest.mark.django_db
def test_two_runs_are_reported_in_every_format_as_a_download(
    project: Project, runs: list[Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    a, b, _ = runs
    files = {
        name: client.get(address(project, [a, b], name)) for name in ("html", "md", "csv", "json")
    }
    for name, answer in files.items():
        assert answer.status_code == 200
        wanted = f'attachment; filename="comparison-{a.number}-{b.number}.{name}"'
        assert answer["Content-Disposition"] == wanted
    html, markdown = (files[name].content.decode() for name in ("html", "md"))
    assert "answer improved by 50.0 points" in html
    assert ":root { color-scheme" in html
    assert "| answer | Better | 40 | 25.0% | 75.0% | +50.0 points |" in markdown
    data = json.loads(files["json"].content)
    assert data["scorers"][0]["delta"] == 0.5
    rows = list(csv.DictReader(io.StringIO(files["csv"].content.decode()[1:])))
    assert (rows[0]["name"], rows[0]["delta"]) == ("answer", "0.5")
    assert float(rows[0]["ci95_low"]) == data["scorers"][0]["ci95"][0]


@pytest.mark.django_db
def test_three_runs_are_reported_with_each_change_and_the_top_group(
    project: Project, runs: list[Run], viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    markdown = client.get(address(project, runs, "md")).content.decode()
    assert "3 runs compared" in markdown
    assert "+55.0" in markdown
    rows = list(
        csv.DictReader(io.StringIO(client.get(address(project, runs, "csv")).content.decode()[1:]))
    )
    assert len(rows) == 6
    assert rows[1]["against_baseline_delta"] == "0.5"
    assert "against_baseline" not in rows[0]
    assert json.loads(client.get(address(project, runs, "json")).content)["scorers"][0]["best"] == (
        runs[2].number
    )


@pytest.mark.django_db
def test_a_stranger_an_unknown_format_and_a_single_run_are_not_found(
    project: Project, runs: list[Run], viewer: User, stranger: User, client_for: ClientFor
) -> None:
    assert client_for(stranger).get(address(project, runs, "html")).status_code == 404
    client = client_for(viewer)
    assert client.get(address(project, runs, "pdf")).status_code == 404
    assert client.get(address(project, runs[:1], "html")).status_code == 404
