"""What the API's bodies for datasets and items may hold, and how its answers are described."""

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from evalhub.kit.api import StrictBody
from evalhub.kit.api_lists import Paging


class NewDataset(StrictBody):
    name: str
    description: str = ""
    slug: str = ""
    tags: list[str] = Field(default_factory=list)


class DatasetChanges(StrictBody):
    """What is left out stays."""

    name: str | None = None
    description: str | None = Field(None, description="markdown")
    tags: list[str] | None = None


class DatasetQuery(Paging):
    q: str = Field("", max_length=500, description="looked for in name and description")
    archived: bool = Field(False, description="list the archived ones instead")


class ItemsQuery(Paging):
    cursor: str | None = Field(None, max_length=2000, description="next_cursor of the page before")
    version: int | None = Field(None, description="read at this version; default: the current one")
    q: str = Field(
        "",
        max_length=500,
        description="looked for in input, expected output, metadata and external id",
    )
    where: str = Field(
        "", description='a filter, such as metadata.topic in ("percent", "rate") and tag = "hard"'
    )
    split: str = Field("", description="only items of this split")
    sort: str = Field("number", description="number, -number, changed, external_id or split")


class DatasetAnswer(Schema):
    """A dataset; `id` is its slug, which `{id}` takes as well as the uuid."""

    id: str
    uuid: str
    name: str
    description: str
    tags: list[str]
    version: int
    item_count: int
    pinned: bool
    archived: bool
    created_at: datetime
    updated_at: datetime


class VersionAnswer(Schema):
    """A version; `schema_fields` are those of an item that have a JSON Schema from it on."""

    number: int
    author: str | None
    created_at: datetime
    message: str
    label: str
    schema_fields: list[str]
    added: int
    changed: int
    removed: int
    item_count: int


class ItemAnswer(Schema):
    """An item. `expected_output` and `context` are left out when absent, which null is not."""

    number: int
    revision: int
    version: int
    input: Any
    expected_output: Any = None
    metadata: dict[str, Any]
    context: dict[str, Any] | None = None
    tags: list[str]
    split: str
    scorers: list[Any] | None = None
    external_id: str | None
    source: str
    content_hash: str
    purged: bool


class FieldChangeAnswer(Schema):
    """A field by its dotted path; `before` and `after` are left out where it was absent."""

    path: str
    before: Any = None
    after: Any = None


class HistoryAnswer(Schema):
    """What a version made of an item; `deleted` means that it removed it."""

    version: VersionAnswer
    deleted: bool
    changes: list[FieldChangeAnswer]
    item: ItemAnswer


class AddedAnswer(Schema):
    """The numbers of the items in the order given, and the dataset's version after it."""

    numbers: list[int]
    version: int


_ITEM_FIELDS: dict[str, Any] = {
    "input": {"description": "any JSON"},
    "expected_output": {"description": "any JSON; absent is not null"},
    "metadata": {"type": "object"},
    "context": {"type": "object", "description": "given to the target"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "split": {"type": "string"},
    "scorers": {"type": "array", "items": {}},
    "external_id": {"type": "string", "description": "unique in the dataset"},
    "source": {"type": "string", "description": "where it came from"},
}
_ITEM = {"type": "object", "required": ["input"], "properties": _ITEM_FIELDS}
_ITEMS = {
    "type": "object",
    "required": ["items"],
    "properties": {
        "items": {"type": "array", "items": _ITEM},
        "message": {"type": "string", "description": "of the version that they make"},
    },
}
_CHANGES = {
    "type": "object",
    "properties": _ITEM_FIELDS
    | {
        "remove": {"type": "array", "items": {"type": "string"}},
        "revision": {"type": "integer", "description": "that the change is based on"},
        "message": {"type": "string"},
    },
}


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


NEW_ITEMS_BODY = _body({"oneOf": [_ITEM, _ITEMS]})
ITEM_CHANGES_BODY = _body(_CHANGES)
