"""Files that are refused, from the upload to the database: nothing of them is ever written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets_app.actions.imports import apply_import, check_import, map_import
from datasets_app.importing.mapping import Mapping
from datasets_app.models import Dataset, DatasetVersion, ImportJob, ItemRevision
from evalhub.access.models import User
from tests.datasets_app.importing.wild import BAD_ROWS, REFUSED
from tests.datasets_app.jobs import ended
from tests.datasets_app.pages import ClientFor, url

pytestmark = [
    pytest.mark.db,
    pytest.mark.django_db,
    pytest.mark.usefixtures("no_messages"),
]


def written(dataset: Dataset) -> tuple[object, ...]:
    """Whatever an import may leave."""
    dataset.refresh_from_db()
    rows = list(ItemRevision.objects.order_by("pk").values_list("pk", "version_to"))
    return (dataset.version, dataset.pending_version, DatasetVersion.objects.count(), rows)


def upload(dataset: Dataset, editor: User, client_for: ClientFor, name: str, data: bytes) -> Any:
    file = SimpleUploadedFile(name, data)
    return client_for(editor).post(url("import", dataset), {"file": file})


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_refused_writes_nothing(
    dataset: Dataset, editor: User, client_for: ClientFor, settings: Any, tmp_path: Path, case: str
) -> None:
    settings.EVALHUB_HOME = tmp_path
    name, made, reason = REFUSED[case]
    before = written(dataset)
    response = upload(dataset, editor, client_for, name, made() if callable(made) else made)
    if response.status_code == 422:
        told = response.context["form"].errors["file"][0]
        assert not ImportJob.objects.exists()
        assert list(tmp_path.glob("uploads/*")) == []
    else:  # what is wrong stands further down than an upload looks
        job = ended(
            apply_import(job=check_import(job=ImportJob.objects.get(), by=editor), by=editor)
        )
        assert job.state == "failed"
        told = job.message
    assert reason in told
    assert written(dataset) == before


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_file_with_one_bad_row_writes_nothing_when_all_or_nothing_was_asked(
    dataset: Dataset, editor: User, client_for: ClientFor, settings: Any, tmp_path: Path, case: str
) -> None:
    settings.EVALHUB_HOME = tmp_path
    name, data, line, kind, reason = BAD_ROWS[case]
    before = written(dataset)
    assert upload(dataset, editor, client_for, name, data).status_code == 302
    job = ImportJob.objects.get()
    map_import(job=job, mapping=Mapping.from_options(job.columns, input=["q"]), by=editor)
    checked = ended(check_import(job=job, by=editor))
    assert (checked.state, checked.rows_bad) == ("checked", 1)
    (told,) = checked.problems[0]["examples"]
    assert (told["line"], told["kind"]) == (line, kind)
    assert reason in told["reason"]
    done = ended(apply_import(job=checked, by=editor, on_error="abort"))
    assert (done.state, done.message) == (
        "failed",
        "1 of 3 rows has a problem. Nothing was imported.",
    )
    assert written(dataset) == before
