"""The pages of runs as a browser without script sees them, and the fragments for htmx."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from runs_app.models import Run
from tests.factories import make_active_run, make_dataset, make_finished_run, make_run, questions

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def run(dataset: Dataset, owner: User) -> Run:
    """Three results: one passes, one is an error, one is not scored."""
    return make_finished_run(
        dataset,
        owner,
        ["2", TimeoutError("No answer within 60 s"), "silence"],
        {"answer": [1, None, None], "similarity": [0.9, None, 0.25]},
        name="First try",
    )


def url(project: Project, name: str, *args: object) -> str:
    return reverse(f"runs:{name}", args=[project.slug, *args])


def every_page(project: Project, dataset: Dataset, run: Run) -> list[str]:
    return [
        url(project, "list"),
        url(project, "of_dataset", dataset.slug),
        url(project, "detail", run.number),
        url(project, "result", run.number, 1),
        url(project, "live", run.number),
        url(project, "compare"),
        url(project, "targets"),
    ]


def test_a_viewer_reads_every_page(
    project: Project, dataset: Dataset, run: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    for page in every_page(project, dataset, run):
        assert client.get(page).status_code == 200, page


def test_a_stranger_finds_none_of_the_pages(
    project: Project, dataset: Dataset, run: Run, stranger: User, client_for: ClientFor
) -> None:
    client = client_for(stranger)
    pages = [*every_page(project, dataset, run), url(project, "new")]
    for page in [*pages, url(project, "cancel", run.number)]:
        assert client.get(page).status_code == 404, page


def test_a_viewer_can_neither_start_nor_cancel(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    going = make_active_run(dataset, owner)
    client = client_for(viewer)
    assert client.get(url(project, "new")).status_code == 403
    assert client.post(url(project, "new"), {"dataset": dataset.slug}).status_code == 403
    assert client.post(url(project, "cancel", going.number)).status_code == 403
    going.refresh_from_db()
    assert going.cancel_requested_at is None
    assert "Cancel run" not in client.get(url(project, "detail", going.number)).content.decode()


def test_no_page_carries_inline_style_or_script(
    project: Project, dataset: Dataset, run: Run, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    for page in [*every_page(project, dataset, run), url(project, "new")]:
        html = client.get(page).content.decode()
        assert " style=" not in html, page
        assert not re.search(r"<script(?![^>]* src=)", html), page
        assert " onclick=" not in html, page


def test_the_list_shows_score_interval_latency_and_person(
    project: Project, run: Run, viewer: User, client_for: ClientFor
) -> None:
    html = client_for(viewer).get(url(project, "list")).content.decode()
    assert "First try" in html
    assert "100%" in html  # one scored result, which passes
    assert "answer" in html
    assert "1 error" in html
    assert "owner" in html
    assert f'name="run" value="{run.number}"' in html


def test_lists_take_the_same_number_of_queries_for_3_rows_and_for_60(
    project: Project,
    dataset: Dataset,
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    client = client_for(viewer)
    pages = [url(project, "list"), url(project, "of_dataset", dataset.slug)]
    for _ in range(3):
        make_finished_run(dataset, owner, ["2"], {"answer": [1]})
    few = [count_queries(client, page) for page in pages]
    for _ in range(57):
        make_finished_run(dataset, owner, ["2"], {"answer": [1]})
    assert [count_queries(client, page) for page in pages] == few


def test_a_run_takes_the_same_number_of_queries_for_3_results_and_for_60(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    dataset = make_dataset(project, owner, questions(60))
    small = make_finished_run(dataset, owner, ["2"] * 3, {"answer": [1, 0, 1], "b": [0.1, 0.2, 1]})
    large = make_finished_run(dataset, owner, ["2"] * 60, {"answer": [1] * 60, "b": [0.2] * 60})
    counts = [count_queries(client, url(project, "detail", run.number)) for run in (small, large)]
    assert counts[0] == counts[1]


def count_queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200
    return len(queries)


def test_the_list_pages_by_number_and_back(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    for _ in range(52):
        make_run(dataset, owner, 1)
    client = client_for(viewer)
    first = client.get(url(project, "list"))
    assert first.context["page_text"] == "50 runs, #52 to #3"
    second = client.get(first.context["next_url"])
    assert [row.run.number for row in second.context["rows"]] == [2, 1]
    back = client.get(second.context["previous_url"])
    assert back.context["page_text"] == "50 runs, #52 to #3"


def test_the_list_filters_by_state_and_by_words(
    project: Project, dataset: Dataset, run: Run, owner: User, viewer: User, client_for: ClientFor
) -> None:
    going = make_active_run(dataset, owner)
    client = client_for(viewer)
    running = client.get(url(project, "list"), {"status": "active"})
    assert [row.run.number for row in running.context["rows"]] == [going.number]
    assert "66% of 3" in running.content.decode()
    named = client.get(url(project, "list"), {"q": "first"})
    assert [row.run.number for row in named.context["rows"]] == [run.number]
    nothing = client.get(url(project, "list"), {"q": "no such run"})
    assert "No run matches" in nothing.content.decode()


def test_an_empty_list_leads_to_the_first_run(
    project: Project, editor: User, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(editor).get(url(project, "list")).content.decode()
    assert "No runs yet" in page
    assert url(project, "new") in page
    assert url(project, "new") not in client_for(viewer).get(url(project, "list")).content.decode()


def test_the_runs_of_a_dataset_show_their_trend(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    page = url(project, "of_dataset", dataset.slug)
    client = client_for(viewer)
    make_finished_run(dataset, owner, ["2"] * 3, {"answer": [1, 0, 0]})
    assert client.get(page).context["trend"] is None  # one point is no trend
    make_finished_run(dataset, owner, ["2"] * 3, {"answer": [1, 1, 0]})
    trend = client.get(page).context["trend"]
    assert [round(point.value, 3) for point in trend.points] == [0.333, 0.667]
    assert trend.label == "answer: 33.3% in the first of 2 runs, 66.7% in the last"


# The run page


def test_a_finished_run_shows_its_figures_with_their_intervals(
    project: Project, run: Run, viewer: User, client_for: ClientFor
) -> None:
    html = client_for(viewer).get(url(project, "detail", run.number)).content.decode()
    assert "66.7%" in html  # two of three results succeeded
    assert "2 of 3 results" in html
    assert "TimeoutError" in html
    assert "95% CI" in html
    assert "every 2s" not in html
    assert 'http-equiv="refresh"' not in html


@pytest.mark.parametrize(
    ("show", "numbers"), [("", [1, 2, 3]), ("fail", [3]), ("error", [2]), ("not_scored", [3])]
)
def test_the_chips_filter_results(
    project: Project,
    run: Run,
    viewer: User,
    client_for: ClientFor,
    show: str,
    numbers: list[int],
) -> None:
    page = client_for(viewer).get(url(project, "detail", run.number), {"f": show} if show else {})
    assert [shown.row.number for shown in page.context["rows"]] == numbers
    assert [each["count"] for each in page.context["filters"]] == [3, 1, 1, 1]


def test_failures_are_listed_by_one_scorer(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    mixed = make_finished_run(
        dataset, owner, ["a", "b", "c"], {"exact": [1, 0, 1], "style": [0, 1, 1]}
    )
    client, address = client_for(viewer), url(project, "detail", mixed.number)
    for by, numbers in (("", [1, 2]), ("exact", [2]), ("style", [1])):
        page = client.get(address, {"f": "fail", "by": by})
        assert [shown.row.number for shown in page.context["rows"]] == numbers
        assert page.context["filters"][1]["count"] == len(numbers)
    assert "by=style" in client.get(address, {"f": "fail", "by": "style"}).content.decode()
    assert client.get(address, {"by": "nothing"}).status_code == 404


def test_search_looks_into_outputs(
    project: Project, run: Run, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(url(project, "detail", run.number), {"q": "silence"})
    assert [shown.row.number for shown in page.context["rows"]] == [3]


def test_an_unknown_filter_is_not_found(
    project: Project, run: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    assert client.get(url(project, "detail", run.number), {"f": "nice"}).status_code == 404
    assert client.get(url(project, "detail", 999)).status_code == 404
    assert client.get(url(project, "result", run.number, 99)).status_code == 404


def test_a_result_shows_difference_scores_and_reasons(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    run = make_finished_run(dataset, owner, ["3", "x", "y"], {"answer": [0, 1, None]})
    client = client_for(viewer)
    diff = client.get(url(project, "result", run.number, 1)).content.decode()
    assert "<del>2</del><ins>3</ins>" in diff
    sides = client.get(url(project, "result", run.number, 1), {"view": "sides"}).content.decode()
    assert "<del>2</del></pre>" in sides
    assert "<ins>3</ins></pre>" in sides
    raw = client.get(url(project, "result", run.number, 1), {"view": "raw"}).content.decode()
    assert "<del>" not in raw
    without = client.get(url(project, "result", run.number, 3)).content.decode()
    assert "The item has no expected output." in without


def test_a_failed_result_shows_its_typed_error(
    project: Project, run: Run, viewer: User, client_for: ClientFor
) -> None:
    html = client_for(viewer).get(url(project, "result", run.number, 2)).content.decode()
    assert "TimeoutError</strong> No answer within 60 s" in html


def test_what_a_target_says_is_text_and_never_markup(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    evil = "<script>alert(1)</script>"
    run = make_finished_run(dataset, owner, [evil, ValueError(evil), evil], {"answer": [0, 0, 0]})
    client = client_for(viewer)
    for item in (1, 2, 3):
        for view in ("diff", "sides", "raw"):
            page = client.get(url(project, "result", run.number, item), {"view": view})
            assert evil not in page.content.decode()


def test_a_long_input_is_cut_until_all_of_it_is_asked_for(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    letter = "word " * 1_000 + "the end"
    dataset = make_dataset(project, owner, [{"input": letter, "expected_output": "yes"}])
    run = make_finished_run(dataset, owner, ["no"], {"answer": [0]})
    client, address = client_for(viewer), url(project, "result", run.number, 1)
    cut = client.get(address, {"view": "sides"}).content.decode()
    assert "First 4,000 of 5,007 characters." in cut
    assert "the end" not in cut
    assert f'href="{address}?view=sides&amp;all=1"' in cut
    assert "the end" in client.get(address, {"all": "1"}).content.decode()


def test_previous_and_next_follow_the_filter(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    dataset = make_dataset(project, owner, questions(5))
    run = make_finished_run(dataset, owner, list("abcde"), {"answer": [0, 1, 0, 1, 0]})
    page = client_for(viewer).get(url(project, "result", run.number, 3), {"f": "fail"})
    assert page.context["previous_result"] == url(project, "result", run.number, 1) + "?f=fail"
    assert page.context["next_result"] == url(project, "result", run.number, 5) + "?f=fail"


def test_htmx_gets_the_part_that_it_swaps(
    project: Project, run: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    detail = client.get(
        url(project, "result", run.number, 1), headers=HTMX | {"HX-Target": "detail"}
    )
    assert b"<html" not in detail.content
    assert b'class="detail__body"' in detail.content
    results = client.get(
        url(project, "detail", run.number), headers=HTMX | {"HX-Target": "results"}
    )
    assert results.content.strip().startswith(b"<section")
    restored = client.get(
        url(project, "result", run.number, 1),
        headers=HTMX | {"HX-Target": "detail", "HX-History-Restore-Request": "true"},
    )
    assert b"<html" in restored.content
