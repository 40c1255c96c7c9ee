"""Changes to datasets and items. Each function is one transaction and knows no request."""

from datasets_app.actions.datasets import (
    archive_dataset,
    create_dataset,
    delete_dataset,
    pin_dataset,
    unarchive_dataset,
    update_dataset,
)
from datasets_app.actions.items import add_items, delete_item, update_item
from datasets_app.actions.notes import add_note, delete_note
from datasets_app.actions.purge import purge_item
from datasets_app.actions.revisions import copy_item, restore_revision

__all__ = [
    "add_items",
    "add_note",
    "archive_dataset",
    "copy_item",
    "create_dataset",
    "delete_dataset",
    "delete_item",
    "delete_note",
    "pin_dataset",
    "purge_item",
    "restore_revision",
    "unarchive_dataset",
    "update_dataset",
    "update_item",
]
