"""Loading the demo project: dataset by the real actions, runs by the real worker."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse

from datasets_app import public
from datasets_app.actions import add_items, create_dataset
from datasets_app.items import parse_item
from evalhub.access.actions import audit, create_project
from evalhub.access.models import Project, User
from evalhub.demo import content
from runs_app.actions import start_run

SLUG = "demo"
CONCURRENCY = 2  # slow enough to be watched


@transaction.atomic
def load(*, by: User) -> str:
    """Make the demo project and start its runs; returns the path of the first two's comparison."""
    for home in Project.objects.for_user(by):
        # Outlives the demo: who removed it does not find it again after the next start.
        audit(home, by, "demo.loaded", SLUG)
    project = create_project(name="Demo", slug=SLUG, by=by)
    Project.objects.filter(pk=project.pk).update(is_demo=True)
    dataset = create_dataset(
        project=project,
        name=content.DATASET_NAME,
        description=content.DATASET_DESCRIPTION,
        by=by,
    )
    items = [parse_item(ticket, source="evalhub demo") for ticket in content.tickets()]
    add_items(dataset=dataset, contents=items, by=by, message="Sixty tickets of the demo")
    row = public.find_dataset(by, project, dataset.slug)
    runs = [
        start_run(
            project=project,
            dataset=row,
            target=f"python:{target.id}",
            scorers=list(content.SCORERS),
            by=by,
            name=target.run_name,
            concurrency=CONCURRENCY,
        )
        for target in content.TARGETS
    ]
    query = "&".join(f"run={run.number}" for run in runs[:2])
    return f"{reverse('runs:compare', args=[SLUG])}?{query}"
