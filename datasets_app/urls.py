"""Addresses of the dataset pages, all below /p/<project>/datasets/."""

from django.urls import path

from datasets_app.views import datasets, exports, imports, items, versions

app_name = "datasets"
ITEM = "<slug:slug>/items/<int:number>"
JOB = "<slug:slug>/import/<uuid:job>"
urlpatterns = [
    path("", datasets.list_datasets, name="list"),
    path("new", datasets.new, name="new"),
    path("<slug:slug>/", datasets.root, name="root"),
    path("<slug:slug>/settings", datasets.settings, name="settings"),
    path("<slug:slug>/delete/", datasets.delete, name="delete"),
    path("<slug:slug>/export", exports.export, name="export"),
    path("<slug:slug>/items", items.list_items, name="detail"),
    path("<slug:slug>/items/new", items.new, name="item_new"),
    path("<slug:slug>/check", items.check, name="item_check"),
    path(ITEM, items.show, name="item"),
    path(f"{ITEM}/edit", items.edit, name="item_edit"),
    path(f"{ITEM}/delete/", items.delete, name="item_delete"),
    path("<slug:slug>/versions", versions.list_versions, name="versions"),
    path("<slug:slug>/import", imports.upload, name="import"),
    path(f"{JOB}/map", imports.map_columns, name="import_map"),
    path(f"{JOB}/preview", imports.preview, name="import_preview"),
    path(f"{JOB}/check", imports.check, name="import_check"),
    path(f"{JOB}/progress", imports.progress, name="import_progress"),
    path(f"{JOB}/problems.csv", imports.problems, name="import_problems"),
    path(f"{JOB}/cancel/", imports.cancel, name="import_cancel"),
]
