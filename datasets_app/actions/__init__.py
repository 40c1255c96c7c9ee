"""Changes to datasets and items. Each function is one transaction and knows no request."""

from datasets_app.actions.datasets import create_dataset, delete_dataset, update_dataset
from datasets_app.actions.items import add_items, delete_item, update_item

__all__ = [
    "add_items",
    "create_dataset",
    "delete_dataset",
    "delete_item",
    "update_dataset",
    "update_item",
]
