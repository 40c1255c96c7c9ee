"""The comparison page: choosing, the way while runs go on, verdicts, pairing and items."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.models import Worker
from runs_app import states
from runs_app.models import Run
from tests.factories import make_dataset, make_finished_run, make_run, make_scorers, questions

pytestmark = pytest.mark.django_db
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}
N = 40


@pytest.fixture
def items(project: Project, owner: User) -> Dataset:
    return make_dataset(project, owner, questions(N), name="Questions")


@pytest.fixture
def baseline(items: Dataset, owner: User) -> Run:
    """10 of 40 pass."""
    return make_finished_run(
        items, owner, outputs("a"), {"answer": [1] * 10 + [0] * 30, "close": [0.5] * N}, name="Old"
    )


@pytest.fixture
def candidate(items: Dataset, owner: User) -> Run:
    """35 of 40 pass; items 1 and 2 regressed."""
    return make_finished_run(
        items,
        owner,
        outputs("b"),
        {"answer": [0, 0] + [1] * 35 + [0] * 3, "close": [0.5] * N},
        name="New",
    )


def outputs(run: str) -> list[str]:
    return [f"the answer {number} of {run}" for number in range(1, N + 1)]


def address(project: Project, *runs: Run, name: str = "compare", **more: object) -> str:
    asked = [f"run={run.number}" for run in runs] + [f"{key}={more[key]}" for key in more]
    return reverse(f"runs:{name}", args=[project.slug]) + "?" + "&".join(asked)


def test_the_page_opens_with_the_verdict(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, baseline, candidate))
    html = page.content.decode()
    assert page.status_code == 200
    assert "answer improved by 62.5 points" in html
    assert "close did not change on any item" in html
    assert "p &lt; 0.001" in html
    assert "Better" in html
    assert "No change" in html
    assert "every 2s" not in html


def test_swapped_runs_turn_the_verdict(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    swap = client.get(address(project, baseline, candidate)).context["swap_url"]
    html = client.get(swap).content.decode()
    assert "answer fell by 62.5 points, past your margin of 2 points" in html


def test_the_margin_is_in_the_address_and_nonsense_is_the_default(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    five = client.get(address(project, candidate, baseline, margin="70"))
    assert "smaller than your margin" not in five.content.decode()
    assert five.context["comparison"].margin == 70
    assert "margin=70" in five.context["swap_url"]
    for nonsense in ("x", "-3", "nan", "inf", "1e9"):
        page = client.get(address(project, baseline, candidate, margin=nonsense))
        assert page.context["comparison"].margin == 2


def test_a_stranger_finds_nothing_and_neither_does_a_wrong_number(
    project: Project,
    baseline: Run,
    candidate: Run,
    viewer: User,
    stranger: User,
    client_for: ClientFor,
) -> None:
    assert client_for(stranger).get(address(project, baseline, candidate)).status_code == 404
    page = reverse("runs:compare", args=[project.slug])
    assert client_for(viewer).get(f"{page}?run={baseline.number}&run=999").status_code == 404


def test_check_boxes_in_a_list_take_the_older_run_as_the_baseline(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    answer = client_for(viewer).get(address(project, candidate, baseline, pick=1))
    assert answer["Location"] == address(project, baseline, candidate)


def test_choosing_nothing_one_or_the_same_run_asks_for_two(
    project: Project,
    baseline: Run,
    candidate: Run,
    viewer: User,
    client_for: ClientFor,
) -> None:
    client = client_for(viewer)
    assert "Choose two runs" in client.get(address(project)).content.decode()
    one = client.get(address(project, candidate)).content.decode()
    assert f"Compare run {candidate.number} with which?" in one
    assert f"run={baseline.number}&amp;run={candidate.number}" in one
    page = reverse("runs:compare", args=[project.slug])
    half = client.get(f"{page}?run={baseline.number}&run=&margin=2")  # the form, half filled in
    assert [run for _key, _label, run in half.context["sides"]] == [baseline, None]
    same = client.get(address(project, baseline, baseline)).content.decode()
    assert "Choose two different runs." in same
    page = reverse("runs:compare", args=[project.slug])
    many = client.get(f"{page}?{'&'.join(f'run={number}' for number in range(1, 22))}")
    assert "A comparison takes 2 to 20 runs; 21 were chosen." in many.content.decode()


def test_a_project_with_less_than_two_runs_leads_to_a_new_one(
    project: Project, baseline: Run, editor: User, client_for: ClientFor
) -> None:
    html = client_for(editor).get(address(project)).content.decode()
    assert "A comparison needs two runs" in html
    assert reverse("runs:new", args=[project.slug]) in html


def test_pairing_is_shown_and_each_count_links_to_its_items(
    project: Project,
    items: Dataset,
    baseline: Run,
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    given: list[object] = list(outputs("b"))
    given[4] = TimeoutError("No answer within 60 s")
    scores: list[float | None] = [1.0] * N
    scores[7] = None
    candidate = make_finished_run(items, owner, given[:38], {"answer": scores[:38]})
    client = client_for(viewer)
    page = client.get(address(project, baseline, candidate))
    html = page.content.decode()
    assert "38 items are in both runs with the same content." in html
    facts = {fact.text: (fact.count, fact.url) for fact in page.context["facts"]}
    assert {text: count for text, (count, _) in facts.items()} == {
        "only in A": 2,
        "errored in B": 1,
        "not scored": 1,
    }
    errors = client.get(facts["errored in B"][1])
    assert [line.pair.number for line in errors.context["items"].lines()] == [5]
    assert "Scorers of A alone: close." in html
    assert "Counting errors as 0" in html


def test_each_count_of_the_table_leads_to_as_many_items(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    line = client.get(address(project, baseline, candidate)).context["lines"][0]
    for count, url in (
        (line.c.improved, line.improved_url),
        (line.c.regressed, line.regressed_url),
        (line.c.unchanged, line.unchanged_url),
    ):
        assert client.get(url).context["items"].page.total == count
    assert (line.c.improved, line.c.regressed) == (27, 2)


def test_the_items_begin_with_what_regressed_and_keep_all_state_in_the_address(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    shown = client.get(address(project, baseline, candidate)).context["items"]
    assert [line.pair.number for line in shown.lines()] == [1, 2]
    improved = client.get(address(project, baseline, candidate, f="improved")).context["items"]
    assert improved.text() == "1 to 20 of 27 improved, largest change first"
    second = client.get(improved.next_url()).context["items"]
    assert second.text() == "21 to 27 of 27 improved, largest change first"
    assert "f=improved" in second.previous_url()
    found = client.get(
        address(project, baseline, candidate, f="improved", q="answer+30+of")
    ).context["items"]
    assert [line.pair.number for line in found.lines()] == [30]


def test_an_open_item_shows_both_outputs_word_by_word(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, baseline, candidate, i=2))
    html = page.content.decode()
    assert "the answer 2 of <del>a</del>" in html
    assert "the answer 2 of <ins>b</ins>" in html
    assert "answer 2</pre>" in html  # what is expected
    assert 'aria-expanded="true"' in html


def test_an_open_item_of_another_page_comes_first(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, baseline, candidate, f="improved", i=1))
    assert next(iter(page.context["items"].lines())).pair.number == 1


def test_htmx_gets_the_items_alone_and_the_address_of_the_page(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    part = address(project, baseline, candidate, name="compare_items", f="improved", q="")
    answer = client.get(part, headers=HTMX)
    assert answer.content.strip().startswith(b'<section id="items"')
    whole = address(project, baseline, candidate, f="improved")
    assert answer["HX-Push-Url"] == whole
    assert client.get(part)["Location"] == whole
    alone = address(project, baseline, name="compare_items")
    assert client.get(alone, headers=HTMX).status_code == 404


def test_an_unknown_group_or_scorer_is_not_found(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    assert client.get(address(project, baseline, candidate, f="nice")).status_code == 404
    assert client.get(address(project, baseline, candidate, by="nobody")).status_code == 404
    assert client.get(address(project, baseline, candidate, i=999)).status_code == 404


def test_how_it_is_computed_names_methods_with_this_comparisons_numbers(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    html = client_for(viewer).get(address(project, baseline, candidate)).content.decode()
    assert "Of 40 pairs 8 pass in both, 3 fail in both, 27 improved and 2 regressed." in html
    assert "Tango" in html
    assert "mid-p McNemar" in html
    assert "2 items got worse, 27 better." in html


def test_two_runs_without_a_common_scorer_say_so(
    project: Project,
    items: Dataset,
    baseline: Run,
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    other = make_finished_run(items, owner, outputs("c"), {"style": [1] * N})
    html = client_for(viewer).get(address(project, baseline, other)).content.decode()
    assert "No scorer in common" in html


def test_a_cancelled_run_is_named_beside_the_verdict(
    project: Project,
    items: Dataset,
    baseline: Run,
    owner: User,
    viewer: User,
    client_for: ClientFor,
) -> None:
    stopped = make_finished_run(
        items, owner, outputs("c")[:20], {"answer": [1] * 20}, status=states.CANCELLED
    )
    Run.objects.filter(pk=stopped.pk).update(total_items=N, total_results=N)
    html = client_for(viewer).get(address(project, baseline, stopped)).content.decode()
    assert f"B, run {stopped.number}, was cancelled." in html
    assert "20 of 40 results" in html


def test_queries_do_not_grow_with_the_items(
    project: Project, owner: User, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    counts = []
    for n in (12, 60):
        dataset = make_dataset(project, owner, questions(n))
        pair = [
            make_finished_run(dataset, owner, ["x"] * n, {"answer": [passed] * n})
            for passed in (1.0, 0.0)
        ]
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address(project, *pair)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] <= 40


# While a run goes on


@pytest.fixture
def going(items: Dataset, owner: User) -> Run:
    run = make_run(items, owner, N, status=states.RUNNING, name="Going")
    make_scorers(run, {"answer": [1, 0]}, {})
    return run


def test_a_run_in_progress_polls_shows_means_and_no_verdict(
    project: Project, baseline: Run, going: Run, viewer: User, client_for: ClientFor
) -> None:
    page = client_for(viewer).get(address(project, baseline, going))
    html = page.content.decode()
    assert f"Run {going.number} is running: 40 of 80 results" in html
    assert "This page fills itself." in html
    assert 'hx-trigger="every 2s"' in html
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in html
    assert "<title>50% · " in html
    assert "25.0%" in html  # the baseline's mean
    assert "Better" not in html
    assert 'id="items"' not in html


def test_the_polled_part_of_a_comparison_holds_no_form(
    project: Project, baseline: Run, going: Run, viewer: User, client_for: ClientFor
) -> None:
    answer = client_for(viewer).get(
        address(project, baseline, going), headers=HTMX | {"HX-Target": "comparison"}
    )
    assert answer.content.strip().startswith(b'<div id="comparison"')
    assert b"<form" not in answer.content


def test_when_both_are_over_the_poll_brings_the_verdict_and_stops(
    project: Project, baseline: Run, candidate: Run, viewer: User, client_for: ClientFor
) -> None:
    answer = client_for(viewer).get(
        address(project, baseline, candidate), headers=HTMX | {"HX-Target": "comparison"}
    )
    html = answer.content.decode()
    assert "every 2s" not in html
    assert "answer improved by" in html
    assert 'id="items"' in html
    selectors = html.partition('id="compare-bar" hx-swap-oob="true"')[2].partition("</form>")[0]
    assert f"#{candidate.number} " in selectors
    assert "running" not in selectors


def test_the_demo_says_that_it_runs(
    project: Project, baseline: Run, going: Run, viewer: User, client_for: ClientFor
) -> None:
    project.is_demo = True
    project.save()
    html = client_for(viewer).get(address(project, baseline, going)).content.decode()
    assert "The demo is running: 40 of 80 results" in html


def test_two_pending_runs_wait_for_a_worker(
    project: Project, items: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    pair = [make_run(items, owner, N, status=states.PENDING) for _ in range(2)]
    client = client_for(viewer)
    html = client.get(address(project, *pair)).content.decode()
    assert "Waiting for a worker" in html
    assert "No worker is alive at the moment." in html
    Worker.objects.create(name="worker:1", pid=1)
    assert "No worker is alive" not in client.get(address(project, *pair)).content.decode()
