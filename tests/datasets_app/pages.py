"""What the tests of pages share: addresses, edits made behind a page's back, and filled forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from datasets_app.actions import add_items, update_item
from datasets_app.actions.items import current_item
from datasets_app.item_form import form_texts
from datasets_app.items import parse_item
from datasets_app.models import Dataset
from evalhub.access.models import User

ClientFor = Callable[..., Client]
HTMX = {"HX-Request": "true"}


def url(name: str, dataset: Dataset, *args: Any) -> str:
    """The address of a page about the dataset."""
    return reverse(f"datasets:{name}", args=[dataset.project.slug, dataset.slug, *args])


def many(dataset: Dataset, count: int, by: User) -> None:
    """Add `count` items as one version."""
    add_items(
        dataset=dataset,
        contents=[parse_item({"input": f"Question {number}"}) for number in range(count)],
        by=by,
    )


def change(dataset: Dataset, number: int, by: User, message: str = "", **fields: Any) -> None:
    """Save the item with other fields, as one version."""
    item = current_item(dataset, number)
    payload: dict[str, Any] = {"input": item.input, "metadata": item.metadata}
    if item.has_expected_output:
        payload["expected_output"] = item.expected_output
    update_item(
        dataset=dataset,
        number=number,
        revision=item.pk,
        content=parse_item(payload | fields),
        by=by,
        message=message,
    )


def form_of(dataset: Dataset, number: int, **fields: str) -> dict[str, str]:
    """The filled form of an item, as a browser would send it, with some fields typed over."""
    texts = form_texts(current_item(dataset, number))
    return {name: str(text) for name, text in texts.items()} | fields
