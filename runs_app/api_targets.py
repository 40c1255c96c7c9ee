"""The API of targets and recordings."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, UploadedFile

from evalhub.access.api_auth import Caller, reader, writer
from evalhub.access.idempotency import once
from evalhub.kit.api import answer
from evalhub.kit.api_lists import Listing, Paging, list_answer, page_down
from evalhub.kit.errors import Invalid, NotFound
from evalhub.kit.json import ABSENT
from runs_app import saved_targets, targets
from runs_app.actions import recordings as recording_actions
from runs_app.actions import targets as actions
from runs_app.actions.trial import start_trial
from runs_app.models import Purpose, SavedTarget
from runs_app.payloads_targets import (
    broken_payload,
    recording_payload,
    saved_target_payload,
    target_payload,
    target_version_payload,
)
from runs_app.schemas_targets import (
    CheckAnswer,
    NewTarget,
    RecordingAnswer,
    SavedTargetAnswer,
    TargetChanges,
    TargetCheck,
    TargetsAnswer,
    TargetVersionAnswer,
)

router = Router(tags=["targets"])


@router.get("/targets", response=TargetsAnswer)
def list_targets(request: HttpRequest) -> HttpResponse:
    """What the project's runs can be started against: saved targets, then registered ones."""
    project = reader(request).project
    found = targets.available(project.slug)
    health = saved_targets.health(project, [target.ref for target in found])
    rows = [target_payload(target, health[target.ref]) for target in found]
    broken = [broken_payload(problem) for problem in targets.plugin_errors()]
    return answer({"items": rows, "next_cursor": None, "total": len(rows), "broken": broken})


@router.post("/targets", response={201: SavedTargetAnswer})
def create_target(request: HttpRequest, body: NewTarget) -> HttpResponse:
    """Save a target. Takes an Idempotency-Key."""
    caller = writer(request)

    def create() -> HttpResponse:
        made = actions.save_target(project=caller.project, by=caller.user, **body.model_dump())
        return answer(_whole(made), 201)

    return once(request, caller, create)


@router.get("/targets/{id}", response=SavedTargetAnswer)
def get_target(request: HttpRequest, id: str) -> HttpResponse:
    """A saved target by its slug, with the configuration of its newest version."""
    return answer(_whole(_find(reader(request), id)))


@router.put("/targets/{id}", response=SavedTargetAnswer)
def update_target(request: HttpRequest, id: str, body: TargetChanges) -> HttpResponse:
    """Change a saved target. Another configuration makes a new version; runs keep theirs."""
    caller = writer(request)
    target = _find(caller, id)
    config = body.config
    if config is None:
        config = saved_targets.find_target_version(target).config
    saved = actions.save_target(
        project=caller.project,
        name=target.name if body.name is None else body.name,
        kind=target.kind,
        transport=target.transport,
        config=config,
        description=target.description if body.description is None else body.description,
        message=body.message,
        by=caller.user,
        target=target,
    )
    return answer(_whole(saved))


@router.delete("/targets/{id}", response={204: None})
def delete_target(request: HttpRequest, id: str) -> HttpResponse:
    """Hide a saved target. Its runs stay readable."""
    caller = writer(request)
    actions.delete_target(target=_find(caller, id), by=caller.user)
    return HttpResponse(status=204)


@router.get("/targets/{id}/versions", response=Listing[TargetVersionAnswer])
def list_target_versions(request: HttpRequest, id: str, query: Query[Paging]) -> HttpResponse:
    """The versions of a saved target, newest first."""
    found = saved_targets.target_versions(_find(reader(request), id))
    rows, next_key = page_down(found, "number", query)
    payloads = [target_version_payload(row) for row in rows]
    return list_answer(payloads, next_key=next_key, total=found.count())


@router.post("/targets/{id}/check", response={201: CheckAnswer})
def check_target(request: HttpRequest, id: str, body: TargetCheck) -> HttpResponse:
    """Try a target with one item; the call goes on in the background. `{id}` may be any reference,
    such as python:ID.
    """
    caller = writer(request)
    try:
        ref = targets.find(id, caller.project.slug).ref
    except Invalid as error:
        raise NotFound(error.detail) from error
    given = body.model_fields_set
    run = start_trial(
        project=caller.project,
        target=ref,
        input=body.input,
        by=caller.user,
        expected_output=body.expected_output if "expected_output" in given else ABSENT,
        context=body.context,
        metadata=body.metadata,
        purpose=Purpose.CHECK,
        timeout_s=body.timeout,
    )
    return answer({"id": str(run.uuid), "status": run.status}, 201)


@router.get("/recordings", response=Listing[RecordingAnswer])
def list_recordings(request: HttpRequest, query: Query[Paging]) -> HttpResponse:
    """The project's uploaded outputs, newest first."""
    caller = reader(request)
    found = saved_targets.recordings(caller.user, caller.project)
    rows, next_key = page_down(found, "pk", query)
    payloads = [recording_payload(row) for row in rows]
    return list_answer(payloads, next_key=next_key, total=found.count())


@router.post("/recordings", response={201: RecordingAnswer})
def create_recording(
    request: HttpRequest,
    file: File[UploadedFile],
    name: Form[str],
    key_column: Form[str],
    output_column: Form[str],
    key_field: Form[str] = "number",
    read_as: Form[str] = "text",
) -> HttpResponse:
    """Upload outputs (CSV, TSV, JSONL or JSON): a key and an output in each row.

    The key is an item's number or its external_id (`key_field`). All rows are taken, or none.
    """
    caller = writer(request)
    made = recording_actions.create_recording(
        project=caller.project,
        name=name,
        filename=file.name or "upload",
        chunks=file.chunks(),
        key_column=key_column,
        output_column=output_column,
        key_field=key_field,
        read_as=read_as,
        by=caller.user,
    )
    return answer(recording_payload(made), 201)


@router.delete("/recordings/{id}", response={204: None})
def delete_recording(request: HttpRequest, id: str) -> HttpResponse:
    """Remove a recording with its outputs. 409 while a saved target reads it."""
    caller = writer(request)
    found = saved_targets.find_recording(caller.user, caller.project, id)
    recording_actions.delete_recording(recording=found, by=caller.user)
    return HttpResponse(status=204)


def _find(caller: Caller, slug: str) -> SavedTarget:
    return saved_targets.find_saved_target(caller.user, caller.project, slug)


def _whole(target: SavedTarget) -> dict[str, Any]:
    newest = saved_targets.find_target_version(target)
    health = saved_targets.health(target.project, [target.slug])[target.slug]
    return saved_target_payload(target, newest, health)
