"""The page of a run by its state: actions, pauses, caps, seats, log; and polls that stay cheap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from datasets_app.models import Dataset
from evalhub.access.actions import set_trace_url
from evalhub.access.models import Project, User
from evalhub.kit.clock import in_seconds
from evalhub.kit.json import dumps
from runs_app import states
from runs_app.models import Purpose, Rescore, Run, RunEvent, Shard, Stay
from runs_app.models.work import RescoreState
from runs_app.views import live as live_view
from tests.factories import make_active_run, make_finished_run, make_run, make_scorers

pytestmark = [pytest.mark.db, pytest.mark.django_db]
ClientFor = Callable[..., Client]

HTMX = {"HX-Request": "true"}
DOOR = 4  # queries before any page: session, user, project, role


def url(project: Project, name: str, *args: object) -> str:
    return reverse(f"runs:{name}", args=[project.slug, *args])


def text(client: Client, address: str, **query: Any) -> str:
    return client.get(address, query).content.decode()


def poll(client: Client, project: Project, run: Run, **query: Any) -> str:
    answer = client.get(url(project, "live", run.number), query, headers=HTMX)
    return answer.content.decode()


@pytest.fixture
def going(dataset: Dataset, owner: User) -> Run:
    return make_active_run(dataset, owner)


@pytest.fixture
def large(dataset: Dataset, owner: User) -> Run:
    """A run at full speed with 200,000 results, as its shards count them."""
    run = make_run(dataset, owner, 400_000, status=states.RUNNING)
    make_scorers(run, {"answer": [1, 0]}, {})
    Shard.objects.bulk_create(
        Shard(
            run=run,
            items=[],
            first_number=200 * n + 1,
            last_number=200 * n + 200,
            size=200,
            succeeded=196,
            failed=4,
            state="done",
        )
        for n in range(1000)
    )
    Stay.objects.create(run=run, owner="a", seats=64, lease_until=in_seconds(60))
    for seats in range(64, 34, -1):
        RunEvent.objects.create(run=run, kind="seats", seats=seats, message="HTTP 429")
    return run


def test_a_poll_of_a_large_run_takes_three_queries_and_counts_no_results(
    project: Project, large: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    with CaptureQueriesContext(connection) as asked:
        html = poll(client, project, large, shown=50, was="running", look="1_2_3")
    assert len(asked) <= DOOR + 3
    assert not any("runs_app_result" in query["sql"] for query in asked.captured_queries)
    assert "200,000 of 400,000 items" in html
    assert "Show 199,950 new results" in html


def test_a_poll_of_a_small_run_tells_passed_from_failed_in_two_queries_more(
    project: Project, going: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    with CaptureQueriesContext(connection) as asked:
        html = poll(client, project, going, shown=2, was="running")
    assert len(asked) <= DOOR + 5
    assert "Pass <b>2</b>" in html
    assert "by answer" in html


def test_figures_of_a_large_run_are_one_pass_and_rest_longer(
    project: Project,
    going: Run,
    viewer: User,
    client_for: ClientFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    going.results.update(retries=2, input_tokens=5, output_tokens=7, cost_usd=0.25)
    going.results.filter(item_number=2).update(error_type="timeout", output_json=None)
    client = client_for(viewer)
    page = url(project, "figures", going.number)
    assert 'hx-trigger="every 4s"' in text(client, page)
    monkeypatch.setattr(live_view, "SMALL", 0)
    with CaptureQueriesContext(connection) as asked:
        html = text(client, page)
    reading = [query for query in asked.captured_queries if "runs_app_result" in query["sql"]]
    assert len(reading) == 1
    assert 'hx-trigger="every 10s"' in html
    for said in ("Errors, so far", "timeout", "4 retries so far", "$0.50", "$0.75 when done"):
        assert said in html
    late = text(client, url(project, "detail", going.number))
    assert 'hx-trigger="load, every 10s"' in late
    assert "$0.50" not in late


def test_an_active_run_can_be_paused_and_cancelled_by_an_editor_alone(
    project: Project, going: Run, editor: User, viewer: User, client_for: ClientFor
) -> None:
    page = url(project, "detail", going.number)
    html = text(client_for(editor), page)
    assert url(project, "pause", going.number) in html
    assert url(project, "cancel", going.number) in html
    seen = text(client_for(viewer), page)
    assert url(project, "pause", going.number) not in seen
    assert "<form method" not in seen.partition("toolbar")[0].partition("page-header")[2]


def test_a_paused_run_says_who_paused_it_and_what_still_finishes(
    project: Project, going: Run, editor: User, client_for: ClientFor
) -> None:
    Run.objects.filter(pk=going.pk).update(paused_at=timezone.now())
    RunEvent.objects.create(run=going, kind="paused", message="Paused by Mara.")
    Stay.objects.create(run=going, owner="a", seats=3, lease_until=in_seconds(60))
    client = client_for(editor)
    html = text(client, url(project, "detail", going.number))
    assert "Paused by Mara." in html
    assert "3 calls still finishing." in html
    assert url(project, "resume", going.number) in html
    assert "per second" not in html
    Stay.objects.all().delete()
    assert "Nothing is in flight." in poll(client, project, going, was="paused")
    assert "Paused" in text(client, url(project, "list"))


def test_a_poll_brings_the_header_only_when_the_state_has_changed(
    project: Project, going: Run, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    assert 'id="run-head"' not in poll(client, project, going, was="running")
    Run.objects.filter(pk=going.pk).update(paused_at=timezone.now())
    html = poll(client, project, going, was="running")
    assert '<header class="page-header" id="run-head" hx-swap-oob="true">' in html
    assert "&amp;was=paused&amp;" in html


def test_the_log_comes_along_when_it_has_grown(
    project: Project, going: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    event = RunEvent.objects.create(run=going, kind="seats", seats=6, message="HTTP 429 <b>")
    page = text(client, url(project, "detail", going.number))
    assert f"&amp;log={event.pk}" in page
    assert "HTTP 429 &lt;b&gt;" in page
    assert "8 → " in page
    assert "run-events" not in poll(client, project, going, log=event.pk)
    assert "run-events" in poll(client, project, going, log=event.pk - 1)


def test_seats_and_caps_are_told_with_what_they_are_of(
    project: Project, going: Run, viewer: User, client_for: ClientFor
) -> None:
    Run.objects.filter(pk=going.pk).update(
        seat_limit=5, max_tokens=2000, used_tokens=1234, max_cost_usd=5, used_cost_usd=0.52
    )
    client = client_for(viewer)
    assert "No worker is on it at the moment" in poll(client, project, going)
    Stay.objects.create(run=going, owner="a", seats=8, lease_until=in_seconds(60))
    html = poll(client, project, going)
    assert "<b>5</b> of 8 calls at once, as the target asked for fewer" in html
    assert "Tokens <b>1,234</b> of 2,000" in html
    assert "Cost <b>$0.52</b> of $5.00" in html


def test_a_run_that_a_cap_stops_says_so_while_it_stops_and_after(
    project: Project, going: Run, dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    client = client_for(owner)
    Run.objects.filter(pk=going.pk).update(
        cancel_requested_at=timezone.now(), cancel_reason="The cost cap: $5 are spent."
    )
    assert "The cost cap: $5 are spent." in poll(client, project, going, was="stopping")
    ended = make_finished_run(dataset, owner, ["2"], {"answer": [1]}, status=states.CANCELLED)
    Run.objects.filter(pk=ended.pk).update(reason="The cost cap: $5 are spent.")
    assert "The cost cap: $5 are spent." in text(client, url(project, "detail", ended.number))
    Run.objects.filter(pk=ended.pk).update(reason="Cancelled.")
    notices = text(client, url(project, "detail", ended.number)).partition('id="live"')[2]
    assert "notice--warn" not in notices


def test_errors_and_skipped_results_can_be_run_again(
    project: Project, dataset: Dataset, owner: User, editor: User, client_for: ClientFor
) -> None:
    outputs = ["2", TimeoutError("slow"), TimeoutError("slow")]
    run = make_finished_run(dataset, owner, outputs, {"answer": [1, None, None]})
    client = client_for(editor)
    page = url(project, "detail", run.number)
    html = text(client, page)
    assert "Retry 2 errors<" in html
    for name in ("retry", "rescore", "delete"):
        assert url(project, name, run.number) in html
    assert f"{url(project, 'new')}?run={run.number}" in html
    Run.objects.filter(pk=run.pk).update(total_results=10)
    assert "Retry 2 errors and run 7 skipped" in text(client, page)
    Run.objects.filter(pk=run.pk).update(failed=0)
    assert "Run 9 skipped" in text(client, page)


def test_a_try_offers_the_whole_run(
    project: Project, dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    run = make_finished_run(dataset, owner, ["2"], {"answer": [1]}, name="Try of 5 items: mine")
    client = client_for(owner)
    page = url(project, "detail", run.number)
    assert "This was a try" not in text(client, page)
    Run.objects.filter(pk=run.pk).update(selection={"limit": 5})
    html = text(client, page)
    assert "This was a try of 1 item." in html
    assert f"?run={run.number}&amp;all=1" in html
    assert "Run all 3 items" in html


def test_a_rescore_shows_how_far_it_is_and_then_where_its_scores_are(
    project: Project, dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    run = make_finished_run(dataset, owner, ["2"] * 3, {"answer": [1, 0, 1]})
    job = Rescore.objects.create(run=run, created_by=owner, done=1)
    new = make_scorers(run, {"closer": [0.5]}, {})[0]
    new.run, new.rescore = None, job
    new.save()
    client = client_for(owner)
    html = text(client, url(project, "detail", run.number))
    assert "Scoring again</strong> by closer: 1 of 3 results" in html
    assert "was=rescoring" in html
    Rescore.objects.update(state=RescoreState.DONE)
    ended = poll(client, project, run, was="rescoring")
    assert "Show the new scores" in ended
    assert "every 2s" not in ended
    assert 'id="figures" hx-swap-oob="true"' in ended


def test_the_settings_say_how_the_run_was_set_up(
    project: Project, dataset: Dataset, owner: User, viewer: User, client_for: ClientFor
) -> None:
    run = make_finished_run(dataset, owner, ["2"], {"answer": [1]})
    Run.objects.filter(pk=run.pk).update(
        selection={"split": "test", "sample": 100, "seed": 3, "limit": 50},
        stop_error_share=0.25,
        max_cost_usd=2,
        context={"locale": "en"},
        tags=["nightly"],
    )
    html = text(client_for(viewer), url(project, "detail", run.number))
    for said in (
        "Split test, a sample of 100 (seed 3), first 50",
        "Stop above 25.0% of the results",
        "$2.00",
        "nightly",
        "locale",
    ):
        assert said in html


@pytest.fixture
def repeated(dataset: Dataset, owner: User) -> Run:
    """Two items, three times: the second repetition of item 1 fails, the third is an error."""
    spans = dumps([{"name": "Try 1", "kind": "try", "start_ms": 0, "ms": 9, "depth": 0}])
    return make_finished_run(
        dataset,
        owner,
        ["2", "3", TimeoutError("No answer."), "4", "4", "4"],
        {"answer": [1, 0, None, 1, 1, 1]},
        repetitions=3,
        results={
            "spans_json": [spans] * 6,
            "trace_id": ["a/1"] * 6,
            "input_tokens": [1200] * 6,
            "output_tokens": [None] * 6,
            "error_type": ["", "", "timeout", "", "", ""],
        },
    )


def test_the_settings_say_how_each_scorer_was_set(
    dataset: Dataset, project: Project, owner: User, client_for: ClientFor
) -> None:
    spec = {"use": "numeric_match", "name": "answer", "extract": r"A: (\d+)", "tolerance": 0}
    spaced = {"use": "exact_match", "name": "exact_match", "ignore_space": True, "extract": None}
    scorers = {"answer": {"spec": spec}, "exact_match": {"spec": spaced}}
    values = {"answer": [1], "exact_match": [0]}
    run = make_finished_run(dataset, owner, ["1"], values, scorers=scorers)
    page = text(client_for(owner), url(project, "detail", run.number))
    assert r"<dd>answer, Numeric match, extract <code>A: (\d+)</code></dd>" in page
    assert "<dd>exact_match, ignore space</dd>" in page


def test_a_result_has_a_switch_for_its_repetitions(
    project: Project, repeated: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    page = url(project, "result", repeated.number, 1)
    answer = client.get(page, {"r": 2})
    links = answer.context["repetitions"]
    assert [(link.number, link.mark, link.current) for link in links] == [
        (1, "pass", False),
        (2, "fail", True),
        (3, "error", False),
    ]
    assert answer.context["open"].row.output_json == '"3"'
    assert client.get(page, {"f": "error"}).context["open"].row.repetition == 2
    assert client.get(page, {"r": 9}).status_code == 404


def test_the_list_has_a_row_for_each_repetition_that_leads_to_it(
    project: Project, repeated: Run, viewer: User, client_for: ClientFor
) -> None:
    client = client_for(viewer)
    answer = client.get(url(project, "detail", repeated.number))
    assert len(answer.context["rows"]) == 6
    assert answer.context["page_text"] == "6 of 6 results, items 1 to 2"
    assert f"{url(project, 'result', repeated.number, 1)}?r=3" in answer.content.decode()


def test_a_result_shows_trace_usage_context_and_advice(
    project: Project, repeated: Run, owner: User, client_for: ClientFor
) -> None:
    set_trace_url(project=project, trace_url="https://t.test/{trace_id}", by=owner)
    Run.objects.filter(pk=repeated.pk).update(context={"locale": "sv"})
    html = text(client_for(owner), url(project, "result", repeated.number, 1), r=3)
    for said in (
        'href="https://t.test/a%2F1"',
        'data-copy="a/1"',
        "1 span, 9 ms",
        "1,200 in, – out",
        "locale",
        "Raise the timeout",
    ):
        assert said in html


def test_an_open_result_takes_the_same_queries_for_1_and_for_3_repetitions(
    project: Project, repeated: Run, dataset: Dataset, owner: User, client_for: ClientFor
) -> None:
    once = make_finished_run(dataset, owner, ["2", "4"], {"answer": [1, 1]})
    client = client_for(owner)
    taken = []
    for run in (once, repeated):
        with CaptureQueriesContext(connection) as asked:
            client.get(
                url(project, "result", run.number, 1), headers=HTMX | {"HX-Target": "detail"}
            )
        taken.append(len(asked))
    assert taken[0] == taken[1]


def test_lists_hide_trials_and_deleted_runs_and_show_costs(
    project: Project, dataset: Dataset, owner: User, repeated: Run, client_for: ClientFor
) -> None:
    trial = make_finished_run(dataset, owner, ["2"], {"answer": [1]}, name="A trial")
    Run.objects.filter(pk=trial.pk).update(purpose=Purpose.PLAYGROUND)
    gone = make_finished_run(dataset, owner, ["2"], {"answer": [1]}, name="Gone")
    Run.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    client = client_for(owner)
    html = text(client, url(project, "list"))
    assert "7,200 tokens" in html
    for name in ("A trial", "Gone"):
        assert name not in html
    for run in (trial, gone):
        assert client.get(url(project, "detail", run.number)).status_code == 404
