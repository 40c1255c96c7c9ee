"""The client against a real HTTP server with recorded answers."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from evalhub_client import ApiError, Client, ServerNotReached, WaitTimeout, waiting

from tests.client import recorded
from tests.client.api_server import ApiServer, Asked, Reply, listing, problem


def test_a_list_goes_on_to_the_next_page_with_the_cursor_of_the_one_before(
    server: ApiServer, client: Client
) -> None:
    server.answer(
        "GET",
        "/datasets",
        listing({"id": "a"}, {"id": "b"}, next_cursor="azE"),
        listing(next_cursor="azI"),
        listing({"id": "c"}),
    )
    assert [one["id"] for one in client.list_datasets()] == ["a", "b", "c"]
    cursors = [one.query.get("cursor") for one in server.requests("GET", "/datasets")]
    assert cursors == [None, "azE", "azI"]


def test_a_page_is_asked_for_only_when_the_one_before_is_used_up(
    server: ApiServer, client: Client
) -> None:
    server.answer("GET", "/runs", listing({"number": 2}, next_cursor="azE"), listing({"number": 1}))
    runs = client.list_runs()
    assert next(runs)["number"] == 2
    assert len(server.asked) == 1
    assert next(runs)["number"] == 1
    assert len(server.asked) == 2


def test_filters_go_along_with_every_page(server: ApiServer, client: Client) -> None:
    server.answer("GET", "/datasets/sums/items", listing({}, next_cursor="azE"), listing())
    list(client.list_items("sums", version=3, q="tea & milk"))
    for asked in server.asked:
        assert asked.query["version"] == "3"
        assert asked.query["q"] == "tea & milk"


def test_the_token_goes_along_and_no_project_without_need(
    server: ApiServer, client: Client
) -> None:
    server.answer("GET", "/me", Reply({"user": "ada", "role": "editor"}))
    assert client.me()["user"] == "ada"
    headers = server.asked[0].headers
    assert headers["authorization"] == "Bearer eh_secret"
    assert "x-evalhub-project" not in headers


def test_a_project_is_named_in_its_header(server: ApiServer) -> None:
    server.answer("GET", "/me", Reply({}))
    with Client(server.url, project="support") as client:
        client.me()
    assert server.asked[0].headers["x-evalhub-project"] == "support"
    assert "authorization" not in server.asked[0].headers


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str, str, Any]] = [
    (
        "create_dataset",
        ("Sums",),
        {"slug": "s"},
        "POST",
        "/datasets",
        {"name": "Sums", "description": "", "slug": "s"},
    ),
    ("get_dataset", ("sums",), {}, "GET", "/datasets/sums", None),
    (
        "update_dataset",
        ("sums",),
        {"description": ""},
        "PUT",
        "/datasets/sums",
        {"description": ""},
    ),
    ("get_item", ("sums", 17), {}, "GET", "/datasets/sums/items/17", None),
    ("add_item", ("sums", {"input": None}), {}, "POST", "/datasets/sums/items", {"input": None}),
    (
        "add_items",
        ("sums", [{"input": 1}]),
        {"message": "More"},
        "POST",
        "/datasets/sums/items",
        {"items": [{"input": 1}], "message": "More"},
    ),
    (
        "update_item",
        ("sums", 17, {"expected_output": None}),
        {"revision": 5},
        "PATCH",
        "/datasets/sums/items/17",
        {"expected_output": None, "revision": 5},
    ),
    (
        "start_run",
        ("sums",),
        {"target": "python:x", "scorers": ["regex", {"use": "contains"}], "timeout": 1.5},
        "POST",
        "/datasets/sums/runs",
        {"target": "python:x", "scorers": ["regex", {"use": "contains"}], "timeout": 1.5},
    ),
    ("get_run", (7,), {}, "GET", "/datasets/runs/7", None),
    ("cancel_run", (7,), {}, "POST", "/datasets/runs/7/cancel", None),
    (
        "compare_runs",
        (7, "8"),
        {"margin": 1},
        "POST",
        "/datasets/compare",
        {"runs": ["7", "8"], "margin": 1},
    ),
    ("get_import", ("aa",), {}, "GET", "/imports/aa", None),
    ("cancel_import", ("aa",), {}, "POST", "/imports/aa/cancel", None),
    ("list_workers", (), {}, "GET", "/workers", None),
]


@pytest.mark.parametrize(("name", "arguments", "options", "method", "path", "body"), CALLS)
def test_a_method_asks_its_route_and_gives_the_answer(
    server: ApiServer,
    client: Client,
    name: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    method: str,
    path: str,
    body: Any,
) -> None:
    server.answer(method, path, Reply({"it": "is"}))
    assert getattr(client, name)(*arguments, **options) == {"it": "is"}
    (asked,) = server.asked
    assert (asked.json if asked.body else None) == body


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        ("list_datasets", (), "/datasets"),
        ("list_items", ("sums",), "/datasets/sums/items"),
        ("list_imports", ("sums",), "/datasets/sums/imports"),
        ("list_runs", (), "/runs"),
        ("list_runs", ("sums",), "/datasets/sums/runs"),
        ("list_results", (7,), "/datasets/runs/7/results"),
        ("list_targets", (), "/targets"),
        ("list_scorers", (), "/scorers"),
    ],
)
def test_a_list_asks_its_route(
    server: ApiServer, client: Client, name: str, arguments: tuple[Any, ...], path: str
) -> None:
    server.answer("GET", path, listing({"n": 1}))
    assert list(getattr(client, name)(*arguments)) == [{"n": 1}]


@pytest.mark.parametrize(
    ("name", "arguments", "path"),
    [
        ("delete_dataset", ("sums",), "/datasets/sums"),
        ("delete_item", ("sums", 3), "/datasets/sums/items/3"),
    ],
)
def test_deleting_gives_nothing(
    server: ApiServer, client: Client, name: str, arguments: tuple[Any, ...], path: str
) -> None:
    server.answer("DELETE", path, Reply(status=204))
    assert getattr(client, name)(*arguments) is None


def test_a_name_stays_one_part_of_the_path(server: ApiServer, client: Client) -> None:
    with pytest.raises(ApiError):
        client.get_dataset("a/../b ü?x=1")
    assert server.asked[0].path == "/datasets/a%2F..%2Fb%20%C3%BC%3Fx%3D1"


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_what_would_lead_to_another_address_is_refused(client: Client, name: str) -> None:
    with pytest.raises(ValueError, match="names nothing"):
        client.delete_dataset(name)


def test_a_problem_becomes_an_error_with_all_that_it_says(
    server: ApiServer, client: Client
) -> None:
    server.answer(
        "PATCH",
        "/datasets/sums/items/3",
        problem(409, "Changed meanwhile.", ("/revision", "It is 6 now."), item={"revision": 6}),
    )
    with pytest.raises(ApiError) as caught:
        client.update_item("sums", 3, {"input": 1}, revision=5)
    error = caught.value
    assert (error.status, error.title, error.detail) == (409, "Problem", "Changed meanwhile.")
    assert [(one.pointer, one.detail) for one in error.errors] == [("/revision", "It is 6 now.")]
    assert error.extra == {"item": {"revision": 6}}
    assert str(error) == "Changed meanwhile."


def test_a_page_of_html_with_an_error_status_is_told_by_its_status(
    server: ApiServer, client: Client
) -> None:
    server.answer("GET", "/me", Reply(b"<h1>Oh</h1>", 502, {"Content-Type": "text/html"}))
    with pytest.raises(ApiError, match="502 Bad Gateway to GET /api/v1/me") as caught:
        client.me()
    assert caught.value.status == 502


def test_an_answer_that_is_no_json_says_that_this_may_be_another_server(
    server: ApiServer, client: Client
) -> None:
    server.answer("GET", "/me", Reply(b"hello", 200, {"Content-Type": "text/html"}))
    with pytest.raises(ApiError, match="Is this the address of an evalhub server"):
        client.me()


def test_a_redirect_is_not_followed_with_the_token_but_told(
    server: ApiServer, client: Client
) -> None:
    server.answer("GET", "/me", Reply(status=301, headers={"Location": "https://new.example/"}))
    with pytest.raises(ApiError, match=r"points to https://new\.example/"):
        client.me()
    assert len(server.asked) == 1


def test_a_port_where_nothing_listens_is_a_server_not_reached() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}", "t") as client,
        pytest.raises(ServerNotReached, match=f"Cannot reach http://127.0.0.1:{port}: "),
    ):
        client.me()


def test_a_silent_server_is_a_server_not_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with (
            Client(url, "t", timeout=0.2) as client,
            pytest.raises(ServerNotReached, match="did not answer in time"),
        ):
            client.me()


def test_an_address_that_is_none_is_a_server_not_reached() -> None:
    with pytest.raises(ServerNotReached, match="is no address"):
        Client("http://host:port", "t")


def test_a_file_is_sent_with_its_name_its_bytes_and_the_options(
    server: ApiServer, client: Client, tmp_path: Path
) -> None:
    file = tmp_path / "sums.csv"
    content = b"q,a\n" + b"1,\xff\n" * 200_000  # more than one piece, and no valid UTF-8
    file.write_bytes(content)
    server.answer("POST", "/datasets/sums/imports", Reply(recorded.import_job("importing"), 201))
    job = client.import_file("sums", file, format="csv", input=["q"], rest="metadata")
    assert job["state"] == "importing"
    (asked,) = server.asked
    assert asked.headers["content-length"] == str(len(asked.body))
    assert content in asked.body
    assert b'filename="sums.csv"' in asked.body
    options = (
        b'{"format": "csv", "rest": "metadata", "on_error": "skip", "apply": true, "input": ["q"]}'
    )
    assert options in asked.body


def test_a_large_file_is_given_the_time_that_the_server_takes_to_copy_it(
    server: ApiServer, tmp_path: Path
) -> None:
    given: list[Any] = []

    class Transport(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            given.append(request.extensions["timeout"])
            return httpx.Response(201, json={"id": "1"})

    file = tmp_path / "large.csv"
    with file.open("wb") as sparse:
        sparse.truncate(2_000_000_000)
    with Client(server.url, "t", timeout=30, transport=Transport()) as client:
        client.import_file("sums", file)
        client.get_dataset("sums")
    assert [one["read"] for one in given] == [230, 30]
    assert [one["write"] for one in given] == [30, 30]


def test_a_file_that_is_not_there_asks_nothing_of_the_server(
    server: ApiServer, client: Client, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        client.import_file("sums", tmp_path / "none.csv")
    assert server.asked == []


def test_the_problems_of_an_import_come_line_by_line(server: ApiServer, client: Client) -> None:
    csv = "line,reason\n2,Größe\n".encode()
    server.answer(
        "GET", "/imports/aa/problems", Reply(csv, 200, {"Content-Type": "text/csv; charset=utf-8"})
    )
    assert list(client.import_problems("aa")) == ["line,reason", "2,Größe"]


def test_an_import_without_problems_is_an_error_with_the_reason(
    server: ApiServer, client: Client
) -> None:
    server.answer("GET", "/imports/aa/problems", problem(404, "It has no problems."))
    with pytest.raises(ApiError, match="It has no problems"):
        list(client.import_problems("aa"))


@pytest.mark.usefixtures("short_polls")
def test_waiting_ends_with_the_run_and_shows_each_poll(server: ApiServer, client: Client) -> None:
    server.answer(
        "GET",
        "/datasets/runs/7",
        Reply(recorded.run("pending", done=0)),
        Reply(recorded.run("running", done=2)),
        Reply(recorded.run("failed")),
    )
    seen: list[str] = []
    ended = client.wait_for_run(7, on_poll=lambda run: seen.append(run["status"]))
    assert ended["status"] == "failed"
    assert seen == ["pending", "running", "failed"]


@pytest.mark.usefixtures("short_polls")
def test_waiting_bears_a_server_that_starts_again(server: ApiServer, client: Client) -> None:
    def hang_up(asked: Asked) -> Reply:
        raise ConnectionAbortedError

    server._http.handle_error = lambda *_: None  # type: ignore[method-assign]
    server.answer(
        "GET", "/datasets/runs/7", problem(503, "Starting."), hang_up, Reply(recorded.run())
    )
    assert client.wait_for_run(7)["status"] == "completed"


@pytest.mark.usefixtures("short_polls")
def test_waiting_gives_up_on_a_server_that_stays_away(
    server: ApiServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "AWAY_S", 0.05)
    server.answer("GET", "/datasets/runs/7", problem(503, "Starting."))
    with pytest.raises(ApiError, match="Starting"):
        client.wait_for_run(7)
    assert len(server.asked) > 1


@pytest.mark.usefixtures("short_polls")
def test_waiting_does_not_bear_a_refusal(server: ApiServer, client: Client) -> None:
    server.answer("GET", "/imports/aa", problem(404, "There is no such import."))
    with pytest.raises(ApiError, match="no such import"):
        client.wait_for_import("aa")
    assert len(server.asked) == 1


@pytest.mark.usefixtures("short_polls")
def test_waiting_stops_after_its_timeout(server: ApiServer, client: Client) -> None:
    server.answer("GET", "/datasets/runs/7", Reply(recorded.run("running", done=1)))
    with pytest.raises(WaitTimeout, match=r"0\.05 s"):
        client.wait_for_run(7, timeout=0.05)


def test_an_own_transport_is_used() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"user": "ada"}))
    with Client("http://evalhub.local", transport=transport) as client:
        assert client.me() == {"user": "ada"}
