"""The rows of an import that have a problem: a page at a time, and as a file."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse

from datasets_app.importing.bad_rows import are_here, open_bad_rows
from datasets_app.importing.problem_pages import ProblemPage, read_page
from datasets_app.models import ImportJob
from datasets_app.views.common import number_in
from datasets_app.views.exports import file_answer
from datasets_app.views.import_steps import find_job, step_name
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import NotFound
from evalhub.kit.htmx import render_page
from evalhub.kit.whole import LARGEST_ID, whole

GROUPS_SHOWN = 20
"""Kinds of problems that a page lists; a file with thousands of columns may have thousands."""


@project_view(needs=Role.EDITOR)
def errors(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> HttpResponse:
    """The bad rows, of one kind or of all. htmx gets the rows that follow those it has."""
    found = _with_problems(request, project, slug, job)
    kind = number_in(request, "kind")
    group = found.problems[kind] if kind is not None and kind < len(found.problems) else None
    shown = number_in(request, "shown") or 0
    page = _page(request, found, group, shown)
    context = {
        "dataset": found.dataset,
        "job": found,
        "step": 3,
        "back": step_name(found),
        "groups": found.problems[:GROUPS_SHOWN],
        "can_mend": are_here(found),
        "kind": kind if group else None,
        "rows": page.rows,
        "following": page.following,
        "first": shown + 1,
        "shown": shown + len(page.rows),
        "count": group["count"] if group else found.rows_bad,
    }
    return render_page(request, "datasets/import_errors.html", context, part="rows")


def _page(
    request: HttpRequest, job: ImportJob, group: dict[str, Any] | None, shown: int
) -> ProblemPage:
    """The rows after those that are shown; without a place in the file they are counted off."""
    after = whole(request.GET.get("after", ""), LARGEST_ID)
    return read_page(
        job.problems_file,
        end=job.problems_bytes,
        after=after or 0,
        skip=shown if after is None else 0,
        only=(group["kind"], group["column"]) if group else None,
    )


@project_view(needs=Role.EDITOR)
def download(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> FileResponse:
    """All bad rows as CSV, with line numbers and reasons."""
    found = _with_problems(request, project, slug, job)
    return FileResponse(
        found.problems_file.open("rb"),
        as_attachment=True,
        filename=f"{found.filename}.problems.csv",
        content_type="text/csv; charset=utf-8",
    )


@project_view(needs=Role.EDITOR)
def rows(
    request: HttpRequest, project: Project, slug: str, job: uuid.UUID
) -> StreamingHttpResponse:
    """The bad rows in the columns of their file, to mend and import."""
    return file_answer(open_bad_rows(find_job(request, project, slug, job)))


def _with_problems(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> ImportJob:
    """Raises NotFound when no row of the import has a problem so far."""
    found = find_job(request, project, slug, job)
    if not found.problems_file.exists():
        raise NotFound("This import has no file of problems.")
    return found
