"""The JSON API under /api/v1/: where the apps' routers hang."""

from importlib.metadata import version

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from datasets_app.api import router as datasets
from datasets_app.api_actions import router as dataset_actions
from datasets_app.api_bulk import router as bulk
from datasets_app.api_exports import router as exports
from datasets_app.api_imports import router as imports
from datasets_app.api_item_actions import router as item_actions
from datasets_app.api_items import router as items
from datasets_app.api_jobs import router as jobs
from datasets_app.api_notes import router as notes
from datasets_app.api_schemas import router as schemas
from datasets_app.api_versions import router as versions
from evalhub.access.api_auth import ApiToken, reader
from evalhub.kit.api import ProblemAPI, answer
from evalhub.kit.clock import db_now
from evalhub.kit.errors import NotFound
from evalhub.kit.models import Worker
from runs_app.api import router as runs
from runs_app.api_baseline import router as baseline
from runs_app.api_comparing import router as comparing
from runs_app.api_connections import router as connections
from runs_app.api_defaults import router as defaults
from runs_app.api_life import router as life
from runs_app.api_panels import router as panels
from runs_app.api_targets import router as targets
from runs_app.api_trials import router as trials

# No page of documentation: the usual ones load scripts from elsewhere, which our policy forbids.
api = ProblemAPI(title="evalhub", version=version("evalhub"), docs_url=None, auth=ApiToken())
general = Router(tags=["general"])
elsewhere = Router()


class ProjectAnswer(Schema):
    slug: str
    name: str


class MeAnswer(Schema):
    user: str
    project: ProjectAnswer
    role: str


class WorkerAnswer(Schema):
    name: str
    pid: int
    seconds_ago: float


class WorkersAnswer(Schema):
    """`alive` counts the workers seen in the last seconds by the database's clock."""

    alive: int
    workers: list[WorkerAnswer]


@general.get("/me", response=MeAnswer)
def get_me(request: HttpRequest) -> HttpResponse:
    """Whom the token stands for, and in which project."""
    caller = reader(request)
    project = {"slug": caller.project.slug, "name": caller.project.name}
    return answer({"user": caller.user.username, "project": project, "role": caller.role})


@general.get("/workers", response=WorkersAnswer)
def list_workers(request: HttpRequest) -> HttpResponse:
    """The workers that are alive. Without one, runs and imports wait."""
    found = list(Worker.objects.alive().order_by("name"))
    now = db_now()
    workers = [
        {
            "name": worker.name,
            "pid": worker.pid,
            "seconds_ago": max(0.0, (now - worker.seen_at).total_seconds()),
        }
        for worker in found
    ]
    return answer({"alive": len(workers), "workers": workers})


@elsewhere.api_operation(
    ["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:rest}", include_in_schema=False
)
def nothing_here(request: HttpRequest, rest: str) -> HttpResponse:
    raise NotFound(f"The API has no address {request.path}.")


# The order counts: /datasets/runs/... and /datasets/compare come before /datasets/{id}.
api.add_router("", general)
api.add_router("", runs)
api.add_router("", comparing)
api.add_router("", life)
api.add_router("", baseline)
api.add_router("", panels)
api.add_router("", connections)
api.add_router("", targets)
api.add_router("", trials)
api.add_router("", items)
api.add_router("", imports)
api.add_router("", item_actions)
api.add_router("", notes)
api.add_router("", bulk)
api.add_router("", jobs)
api.add_router("", versions)
api.add_router("", schemas)
api.add_router("", datasets)
api.add_router("", dataset_actions)
api.add_router("", exports)
api.add_router("", defaults)
api.add_router("", elsewhere)
