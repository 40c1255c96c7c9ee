"""The import wizard, step by step, as a browser without script walks through it."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from datasets_app.actions.items import current_item
from datasets_app.importing.job import work
from datasets_app.models import Dataset, ImportJob
from evalhub.access.models import User
from evalhub.kit import slots
from tests.datasets_app.pages import HTMX, ClientFor, url

GOOD = b"question,answer,level\n3 + 3,6,1\n4 + 4,8,2\n"
MIXED = b"question,answer,level\n3 + 3,6,1\n4 + 4,8,hard\n5 + 5,10,3\n"
MAPPING = {
    "goes_0": "input",
    "key_0": "question",
    "read_0": "auto",
    "goes_1": "expected_output",
    "key_1": "answer",
    "read_1": "auto",
    "goes_2": "metadata",
    "key_2": "level",
    "read_2": "number",
    "rest": "ignore",
}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """The tests do the work themselves, with files of their own; pages show nothing of runs."""
    settings.EVALHUB_HOME = tmp_path
    monkeypatch.setattr("evalhub.kit.dispatch.wake_now", lambda task, *args: None)
    monkeypatch.setattr(slots, "_providers", {})


def upload(client: Client, dataset: Dataset, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile(fields.pop("name", "sums.csv"), content)
    return client.post(url("import", dataset), {"file": file} | fields)


def staged(client: Client, dataset: Dataset, content: bytes, **fields: str) -> ImportJob:
    response = upload(client, dataset, content, **fields)
    assert response.status_code == 302, response.content.decode()
    job = ImportJob.objects.latest("pk")
    assert response["Location"] == url("import_map", dataset, job.uuid)
    return job


def checked(client: Client, dataset: Dataset, content: bytes) -> ImportJob:
    job = staged(client, dataset, content)
    response = client.post(url("import_map", dataset, job.uuid), MAPPING)
    assert response["Location"] == url("import_check", dataset, job.uuid)
    work(job.pk)
    job.refresh_from_db()
    return job


def test_a_file_is_imported_in_four_steps(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    assert client.get(url("import", dataset)).status_code == 200
    job = staged(client, dataset, GOOD)
    page = client.get(url("import_map", dataset, job.uuid)).content.decode()
    assert "3 + 3" in page
    client.post(url("import_map", dataset, job.uuid), MAPPING)
    waiting = client.get(url("import_check", dataset, job.uuid)).content.decode()
    assert "Checking every row" in waiting
    work(job.pk)
    found = client.get(url("import_check", dataset, job.uuid)).content.decode()
    assert "Import 2 rows" in found
    started = client.post(url("import_check", dataset, job.uuid), {"bad": "skip"})
    assert started["Location"] == url("import_progress", dataset, job.uuid)
    assert "Importing into Sums" in client.get(started["Location"]).content.decode()
    work(job.pk)
    done = client.get(started["Location"]).content.decode()
    assert "Imported 2 rows" in done
    assert url("detail", dataset) + "?v=2" in done
    item = current_item(dataset, 4)
    assert (item.input, item.expected_output, item.metadata) == ("3 + 3", "6", {"level": 1})


def test_a_page_that_waits_polls_and_refreshes_without_script(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, GOOD)
    client.post(url("import_map", dataset, job.uuid), MAPPING)
    address = url("import_check", dataset, job.uuid)
    page = client.get(address).content.decode()
    assert '<noscript><meta http-equiv="refresh"' in page
    assert 'hx-trigger="every 1s"' in page
    part = client.get(address, headers=HTMX).content.decode()
    assert 'hx-trigger="every 1s"' in part
    assert "<form" not in part
    work(job.pk)
    assert client.get(address, headers=HTMX)["HX-Redirect"] == address
    assert "every 1s" not in client.get(address).content.decode()


def test_the_progress_tells_rate_and_time_left(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = checked(client, dataset, GOOD)
    client.post(url("import_check", dataset, job.uuid), {"bad": "skip"})
    ImportJob.objects.filter(pk=job.pk).update(
        rows_done=500, rows_total=2000, started_at=timezone.now() - timedelta(seconds=10)
    )
    page = client.get(url("import_progress", dataset, job.uuid)).content.decode()
    assert "<b>500</b> of 2,000 rows" in page
    assert "25.0%" in page
    assert "rows per second, about 30" in page


def test_bad_rows_are_shown_by_kind_with_their_lines_and_can_be_left_out(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = checked(client, dataset, MIXED)
    page = client.get(url("import_check", dataset, job.uuid)).content.decode()
    assert "1 row with errors" in page
    assert "Not a number: level" in page
    assert '<td class="num mono">3</td>' in page
    file = client.get(url("import_problems", dataset, job.uuid))
    assert "attachment" in file["Content-Disposition"]
    assert b"3,level,Not a number,Not a number.,,hard," in file.getvalue()
    client.post(url("import_check", dataset, job.uuid), {"bad": "skip"})
    work(job.pk)
    dataset.refresh_from_db()
    assert (dataset.version, current_item(dataset, 5).input) == (2, "5 + 5")


def many_bad(count: int) -> bytes:
    """Rows of which `count` have a level that is no number; the last one is too short."""
    bad = "".join(f"{at} + {at},{at},hard {at}\n" for at in range(count))
    return f"question,answer,level\n1,1,1\n{bad}short\n".encode()


def test_all_bad_rows_can_be_paged_through_without_script(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = checked(client, dataset, many_bad(120))
    address = url("import_errors", dataset, job.uuid)
    page = client.get(url("import_check", dataset, job.uuid)).content.decode()
    assert "hard 4<" in page
    assert "hard 5<" not in page
    assert f'href="{address}?kind=0"' in page
    seen: list[int] = []
    following: str | None = f"{address}?kind=0"
    while following:
        response = client.get(following)
        seen += [row.line for row in response.context["rows"]]
        found = re.search(r'href="([^"]+)" rel="next"', response.content.decode())
        following = unescape(found[1]) if found else None
    assert seen == list(range(3, 123))
    assert "1 to 50 of 121" in client.get(address).content.decode()
    short = client.get(f"{address}?kind=1").content.decode()
    assert "Row too short: answer" in short
    assert "hard" not in short


def test_show_more_goes_on_after_the_rows_that_are_shown(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = checked(client, dataset, many_bad(60))
    address = url("import_errors", dataset, job.uuid)
    page = client.get(url("import_check", dataset, job.uuid)).content.decode()
    lines: list[int] = []
    while found := re.search(r'hx-get="([^"]+)" hx-target="closest tr"', page):
        page = client.get(unescape(found[1]), headers=HTMX).content.decode()
        lines += [int(line) for line in re.findall(r'class="num mono"[^>]*>(\d+)<', page)]
        assert "<html" not in page
    assert lines == list(range(8, 63))
    odd = client.get(f"{address}?kind=99&after=-1&shown=x")
    assert odd.status_code == 200
    assert "All" in odd.content.decode()


def test_what_is_known_already_is_not_offered_for_import_again(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    mapping = MAPPING | {"goes_2": "external_id"}
    for offered in ("Import 2 rows", "There is nothing to import."):
        job = staged(client, dataset, GOOD)
        client.post(url("import_map", dataset, job.uuid), mapping)
        work(job.pk)
        page = client.get(url("import_check", dataset, job.uuid)).content.decode()
        assert offered in page
        client.post(url("import_check", dataset, job.uuid), {"bad": "skip"})
        work(job.pk)


def test_choosing_nothing_ends_the_import_and_writes_nothing(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = checked(client, dataset, MIXED)
    response = client.post(url("import_check", dataset, job.uuid), {"bad": "nothing"}, follow=True)
    assert "The import was cancelled." in response.content.decode()
    dataset.refresh_from_db()
    assert (dataset.version, dataset.pending_version) == (1, None)


def test_an_import_can_be_cancelled_while_it_waits(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = checked(client, dataset, GOOD)
    client.post(url("import_check", dataset, job.uuid), {"bad": "skip"})
    assert client.get(url("import_cancel", dataset, job.uuid)).status_code == 405
    response = client.post(url("import_cancel", dataset, job.uuid), follow=True)
    assert "Nothing of it was kept" in response.content.decode()
    dataset.refresh_from_db()
    assert dataset.pending_version is None


def test_a_file_in_which_no_row_is_good_cannot_be_imported(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = checked(client, dataset, b"question,answer,level\na,b,hard\n")
    page = client.get(url("import_check", dataset, job.uuid)).content.decode()
    assert "There is no row to import." in page
    assert "btn--primary" not in page


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "sums.csv", "The file is empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "sums.csv", "image (PNG)"),
        (b"[1, 2]", "sums.jsonl", "not a JSON object"),
        (b"a,b,a\n1,2,3\n", "sums.csv", "twice"),
    ],
    ids=["empty", "binary", "JSON array", "repeated column"],
)
def test_a_file_that_cannot_be_read_is_refused_with_its_fault(
    content: bytes,
    name: str,
    said: str,
    dataset: Dataset,
    editor: User,
    client_for: ClientFor,
    tmp_path: Path,
) -> None:
    response = upload(client_for(editor), dataset, content, name=name)
    assert response.status_code == 422
    errors = response.context["form"].errors["file"]
    assert said.lower() in errors[0].lower()
    assert not ImportJob.objects.exists()
    assert not list(tmp_path.glob("uploads/*/file"))


def test_an_upload_without_a_file_says_so(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    response = client_for(editor).post(url("import", dataset), {})
    assert response.status_code == 422
    assert "Choose a file." in response.content.decode()


def test_what_is_said_about_the_file_is_kept(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    job = staged(
        client_for(editor),
        dataset,
        "größe;farbe\n".encode("cp1252") * 3,
        delimiter=";",
        encoding="cp1252",
        header="no",
    )
    assert (job.reading["delimiter"], job.reading["encoding"]) == (";", "cp1252")
    assert job.reading["has_header"] is False


def test_the_preview_shows_items_under_the_mapping_in_the_form_and_stores_nothing(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, MIXED)
    before = job.mapping
    response = client.post(url("import_preview", dataset, job.uuid), MAPPING, headers=HTMX)
    text = response.content.decode()
    assert response.status_code == 200
    assert "<html" not in text
    assert '<span class="k">"level"</span>' in text.replace("&quot;", '"')
    assert "Not a number" in text
    job.refresh_from_db()
    assert job.mapping == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"goes_0": "metadata"}, "No column goes to the input"),
        ({"goes_1": "input", "key_1": "question"}, "Two columns give the key"),
        ({"goes_2": "nowhere"}, "nowhere"),
        ({"read_2": "roman"}, "roman"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_and_shown_again(
    wrong: dict[str, str], said: str, dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, GOOD)
    response = client.post(url("import_map", dataset, job.uuid), MAPPING | wrong)
    assert response.status_code == 422
    assert said in response.content.decode()
    preview = client.post(url("import_preview", dataset, job.uuid), MAPPING | wrong, headers=HTMX)
    assert preview.status_code == 422
    assert said in preview.content.decode()
    job.refresh_from_db()
    assert job.state == "staged"


def test_keys_of_jsonl_can_be_sent_to_metadata(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, b'{"q": "a"}\n{"q": "b", "late": 1}\n', name="sums.jsonl")
    page = client.get(url("import_map", dataset, job.uuid)).content.decode()
    assert 'id="rest"' in page
    assert "As it is" in page


def test_each_step_leads_to_where_the_import_stands(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, GOOD)
    for name in ("import_check", "import_progress"):
        response = client.get(url(name, dataset, job.uuid))
        assert response["Location"] == url("import_map", dataset, job.uuid)
    client.post(url("import_map", dataset, job.uuid), MAPPING)
    assert client.get(url("import_map", dataset, job.uuid))["Location"] == url(
        "import_check", dataset, job.uuid
    )
    running = client.get(url("import", dataset)).content.decode()
    assert "sums.csv is being checked now" in running


def test_a_file_that_is_gone_is_said_to_be_gone(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, GOOD)
    job.file.unlink()
    response = client.get(url("import_map", dataset, job.uuid))
    assert response.status_code == 404
    assert "no longer kept" in response.content.decode()


@pytest.mark.parametrize("name", ["import_map", "import_check", "import_progress", "import_errors"])
def test_an_import_is_for_editors_of_its_project(
    name: str,
    dataset: Dataset,
    editor: User,
    viewer: User,
    stranger: User,
    client_for: ClientFor,
) -> None:
    job = staged(client_for(editor), dataset, GOOD)
    address = url(name, dataset, job.uuid)
    assert client_for(viewer).get(address).status_code == 403
    assert client_for(stranger).get(address).status_code == 404


def test_an_import_is_not_found_under_another_dataset(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, GOOD)
    dataset.slug = "other"
    assert client.get(url("import_map", dataset, job.uuid)).status_code == 404


def test_the_file_of_problems_is_not_found_before_there_are_any(
    dataset: Dataset, editor: User, client_for: ClientFor
) -> None:
    client = client_for(editor)
    job = staged(client, dataset, GOOD)
    for name in ("import_problems", "import_errors"):
        assert client.get(url(name, dataset, job.uuid)).status_code == 404
