"""Save what was tried in the playground as an item of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from datasets_app import public
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, Invalid
from evalhub.kit.htmx import render_page
from evalhub.kit.whole import LARGEST_ID, whole
from runs_app.trial_form import VALUES, SaveForm
from runs_app.views.common import actor
from runs_app.views.playground_input import composed_input

TEMPLATE = "runs/playground_save.html"
SOURCE = "Playground"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The item in the playground, and its revision when it was loaded."""

    dataset: public.DatasetRow
    number: int
    revision: int


@require_POST
@project_view(needs=Role.EDITOR)
def save(request: HttpRequest, project: Project) -> HttpResponse:
    """Ask which dataset the item goes to; with `save`, put it there and say where it is."""
    datasets = public.list_datasets(actor(request), project)
    given = request.POST.copy()
    loaded_from = given.get("item", "").partition(":")[0]
    if any(dataset.slug == loaded_from for dataset in datasets):
        given.setdefault("dataset", loaded_from)
    text, said = composed_input(request, project) if given.get("as_form") == "form" else (None, [])
    if text is not None:
        given["input"] = text
    form = SaveForm(given, datasets=datasets, auto_id="save_%s")  # beside the fields of the page
    for problem in said:
        form.add_error("input", problem)
    loaded = loaded_item(form)
    if form.is_valid() and {"save", "revise"} & request.POST.keys():
        try:
            return _saved(request, form, loaded if "revise" in request.POST else None)
        except EvalhubError as error:
            form.add_error(None, error.detail)
    # What the field is called matters here: it is not on the page.
    problems = [
        f"{form.fields[name].label}: {text}" if name in VALUES else text
        for name, texts in form.errors.items()
        for text in texts
    ]
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    context = {"form": form, "problems": problems, "loaded": loaded}
    return render_page(request, TEMPLATE, context, part="dialog", status=status)


def loaded_item(form: SaveForm) -> Loaded | None:
    """The item that the values were loaded from; None when they were typed."""
    slug, _, number = str(form["item"].value() or "").partition(":")
    item, revision = whole(number), whole(str(form["revision"].value() or ""), LARGEST_ID)
    dataset = form.datasets.get(slug)
    if dataset is None or item is None or revision is None:
        return None
    return Loaded(dataset, item, revision)


def _saved(request: HttpRequest, form: SaveForm, loaded: Loaded | None) -> HttpResponse:
    if loaded is not None:
        version = public.revise_item(
            dataset=loaded.dataset,
            number=loaded.number,
            revision=loaded.revision,
            payload=form.given(),
            by=actor(request),
        )
        context = {"saved": loaded.dataset, "number": loaded.number, "version": version}
        return render_page(request, TEMPLATE, context, part="dialog")
    dataset = form.datasets.get(form.cleaned_data["dataset"])
    if dataset is None:
        raise Invalid("Choose a dataset.")
    number, version = public.add_item(
        dataset=dataset, payload={**form.given(), "source": SOURCE}, by=actor(request)
    )
    context = {"saved": dataset, "number": number, "version": version}
    return render_page(request, TEMPLATE, context, part="dialog")
