"""Pages of runs, under /p/<project>/."""

from django.urls import path

from runs_app.views import (
    compare,
    connections,
    detail,
    lists,
    live,
    playground,
    save_item,
    start,
    targets,
)

app_name = "runs"
urlpatterns = [
    path("runs", lists.runs, name="list"),
    path("datasets/<slug:slug>/runs", lists.runs_of_dataset, name="of_dataset"),
    path("runs/new", start.new, name="new"),
    path("runs/estimate", start.estimate, name="estimate"),
    path("runs/<int:number>", detail.detail, name="detail"),
    path("runs/<int:number>/live", live.live, name="live"),
    path("runs/<int:number>/figures", live.figures, name="figures"),
    path("runs/<int:number>/results/<int:item>", detail.result, name="result"),
    path("runs/<int:number>/cancel/", detail.cancel, name="cancel"),
    path("compare", compare.compare, name="compare"),
    path("compare/items", compare.items, name="compare_items"),
    path("playground", playground.playground, name="playground"),
    path("playground/check", playground.check, name="playground_check"),
    path("playground/save", save_item.save, name="playground_save"),
    path("playground/outputs/<uuid:trial>", playground.output, name="playground_output"),
    path("playground/outputs/<uuid:trial>/cancel/", playground.cancel, name="playground_cancel"),
    path("targets", targets.targets, name="targets"),
    path("connections", connections.connections, name="connections"),
    path("connections/new", connections.new, name="connection_new"),
    path("connections/<slug:slug>", connections.edit, name="connection"),
    path("connections/<slug:slug>/delete/", connections.delete, name="connection_delete"),
]
