"""What can be run and what can score: registered targets and built-in scorers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from evalhub.access.doors import project_view
from evalhub.access.models import Project
from runs_app.scorers import catalogue
from runs_app.targets import available, plugin_errors


@project_view()
def targets(request: HttpRequest, project: Project) -> HttpResponse:
    context = {
        "targets": available(project.slug),
        "plugin_errors": plugin_errors(),
        "catalogue": catalogue(),
    }
    return render(request, "runs/targets.html", context)
