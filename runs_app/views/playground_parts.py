"""Parts of the playground: the trials that an address names, and what two outputs differ in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.errors import NotFound
from evalhub.kit.json import canonical
from runs_app.trial_form import LETTERS
from runs_app.trials import find_trial
from runs_app.views.common import actor, query
from runs_app.views.shown import Compared, compared
from runs_app.views.trials import ShownTrial, shown_trial


@dataclass(frozen=True, slots=True)
class Named:
    """A trial that an address names; `gone` when it is no more."""

    trial: ShownTrial | None
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Both:
    """Two outputs beside each other. `diff` is None until both are there, in an error of either,
    and when they are the same; `url` polls while either is awaited, "" afterwards."""

    url: str
    same: bool
    diff: Compared | None


def named_trials(request: HttpRequest, project: Project) -> dict[str, Named]:
    """{letter: the trial} that the address or the form names; a letter left empty has none."""
    given = request.POST if request.method == "POST" else request.GET
    trials: dict[str, Named] = {}
    for letter, ref in zip(LETTERS, given.getlist("run"), strict=False):
        if not ref:
            continue
        try:
            state = find_trial(actor(request), project, ref)
        except NotFound:
            trials[letter] = Named(None, gone=True)
        else:
            trials[letter] = Named(shown_trial(state, project.trace_url))
    return trials


def both_of(project: Project, trials: Sequence[ShownTrial | None]) -> Both | None:
    """What two trials differ in; None unless there are two."""
    known = [trial for trial in trials if trial is not None]
    if len(known) != len(LETTERS):
        return None
    if any(trial.state.running for trial in known):
        here = reverse("runs:playground_difference", args=[project.slug])
        named = {letter: trial.state.id for letter, trial in zip(LETTERS, known, strict=True)}
        return Both(here + query(named), False, None)
    if not all(trial.succeeded for trial in known):
        return None
    one, other = (trial.output for trial in known)
    same = canonical(one) == canonical(other)
    return Both("", same, None if same else compared(one, other))


@project_view()
def difference(request: HttpRequest, project: Project) -> HttpResponse:
    """What the trials `?a=` and `?b=` differ in; polled until both are over."""
    user = actor(request)
    found = [find_trial(user, project, request.GET.get(letter, "")) for letter in LETTERS]
    both = both_of(project, [shown_trial(state, project.trace_url) for state in found])
    return render(request, "runs/_trial_both.html", {"both": both})
