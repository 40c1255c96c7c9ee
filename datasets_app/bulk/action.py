"""What is to be done with the selected items. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

from evalhub.kit.errors import FieldError, Invalid

FIELDS: dict[str, tuple[str, ...]] = {
    "set_split": ("split",),
    "add_tags": ("tags",),
    "remove_tags": ("tags",),
    "delete": (),
    "copy_to": ("dataset", "new_dataset", "on_conflict"),
    "move_to": ("dataset", "new_dataset"),
}
"""{kind: what it may say}."""

MAX_SPLIT = 60
MAX_TAGS = 50


@dataclass(frozen=True, slots=True)
class BulkAction:
    """`dataset` (slug or uuid) or `new_dataset` (a name) is where items are copied or moved to.

    An external id that is taken there by other content is refused with the whole action, or, with
    `on_conflict` "skip", its item is left out.
    """

    kind: str
    split: str = ""
    tags: tuple[str, ...] = ()
    dataset: str = ""
    new_dataset: str = ""
    on_conflict: str = "refuse"

    @property
    def goes_elsewhere(self) -> bool:
        return self.kind in ("copy_to", "move_to")

    def to_params(self) -> dict[str, Any]:
        """As JSON, for a job; `from_params` reads it."""
        return asdict(self) | {"tags": list(self.tags)}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> BulkAction:
        return cls(**{**params, "tags": tuple(params["tags"])})

    def sentence(self, count: int) -> str:
        """What it does to `count` items, for the version's message: "Delete 4 items"."""
        items = f"{count:,} item" if count == 1 else f"{count:,} items"
        tags = ", ".join(self.tags)
        match self.kind:
            case "set_split" if self.split:
                return f"Set the split of {items} to {self.split}"
            case "set_split":
                return f"Take {items} out of their split"
            case "add_tags":
                return f"Tag {items}: {tags}"
            case "remove_tags":
                return f"Remove tags from {items}: {tags}"
            case "delete":
                return f"Delete {items}"
        return f"Add {items}"


def parse_action(given: object, *, pointer: str = "") -> BulkAction:
    """The action in a JSON body, such as `{"type": "set_split", "split": "test"}`.

    Raises Invalid with a pointer.
    """

    def refuse(name: str, detail: str) -> NoReturn:
        raise Invalid(detail, errors=[FieldError(f"{pointer}{name}", detail)])

    if not isinstance(given, Mapping):
        refuse("", 'An action is an object, such as {"type": "set_split", "split": "test"}.')
    kind = given.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        refuse("/type", f"The type of an action is one of {', '.join(FIELDS)}.")
    for name in given:
        if name != "type" and name not in FIELDS[kind]:
            refuse(f"/{name}", f"The action {kind} has no “{name}”.")
    for name in ("split", "dataset", "new_dataset", "on_conflict"):
        if not isinstance(given.get(name, ""), str):
            refuse(f"/{name}", f"“{name}” is a text.")
    action = BulkAction(
        kind=kind,
        split=str(given.get("split", "")).strip(),
        tags=_tags(given.get("tags", []), f"{pointer}/tags"),
        dataset=str(given.get("dataset", "")).strip(),
        new_dataset=str(given.get("new_dataset", "")).strip(),
        on_conflict=str(given.get("on_conflict", "refuse")),
    )
    if kind == "set_split" and "split" not in given:
        refuse("/split", "Say which split; an empty text takes the items out of theirs.")
    if len(action.split) > MAX_SPLIT:
        refuse("/split", f"A split is a text of at most {MAX_SPLIT} characters.")
    if kind in ("add_tags", "remove_tags") and not action.tags:
        refuse("/tags", "Give at least one tag.")
    if action.goes_elsewhere and bool(action.dataset) == bool(action.new_dataset):
        refuse("/dataset", "Say which dataset, or the name of a new one.")
    if action.on_conflict not in ("refuse", "skip"):
        refuse("/on_conflict", "On a conflict the action can refuse or skip.")
    return action


def _tags(given: object, pointer: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
        detail = "Tags are a list of texts."
        raise Invalid(detail, errors=[FieldError(pointer, detail)])
    tags = tuple(dict.fromkeys(tag.strip() for tag in given if tag.strip()))
    if len(tags) > MAX_TAGS:
        detail = f"At most {MAX_TAGS} tags at once."
        raise Invalid(detail, errors=[FieldError(pointer, detail)])
    return tags
