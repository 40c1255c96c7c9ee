"""A field of the items, such as `metadata.customer`, as codes by item: for clusters and slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasets_app import public
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import PathError, dumps, get_path, loads, split_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROOTS = ("metadata", "input", "expected_output", "context")
MAX_CHARS = 200
LABEL_CHARS = 200
READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """`codes` are places in `names`, aligned with the run's items; -1 where an item has no such
    field. A name is the field's text, or its JSON when it is no text."""

    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def at(self, places: NDArray[np.intp]) -> NDArray[np.int64]:
        return self.codes[places]


def check_field(path: str, pointer: str) -> str:
    """The path without blanks around it. Raises Invalid with `pointer` for one that leads into no
    item."""
    path = path.strip()
    root = path.partition(".")[0]
    detail = ""
    if len(path) > MAX_CHARS:
        detail = f"A field has at most {MAX_CHARS} characters."
    elif root not in ROOTS or (root == "metadata" and path == root):
        detail = f"“{path}” is no field of an item. Name one such as metadata.topic."
    else:
        try:
            split_path(path)
        except PathError as error:
            detail = str(error)
    if detail:
        raise Invalid(detail, errors=[FieldError(pointer, detail)])
    return path


def read_labels(revisions: Sequence[int], path: str) -> Labels:
    """The field of each item revision."""
    import numpy as np

    root, _, rest = path.partition(".")
    known: dict[str, int] = {}
    codes = np.full(len(revisions), -1, dtype=np.int64)
    for start in range(0, len(revisions), READ_AT_ONCE):
        ids = revisions[start : start + READ_AT_ONCE]
        rows = public.revisions_by_id(ids)
        for place, revision in enumerate(ids, start=start):
            row = rows.get(revision)
            name = None if row is None else _name(_text_of(row, root), rest)
            if name is not None:
                codes[place] = known.setdefault(name, len(known))
    return Labels(codes, tuple(known))


def as_clusters(labels: Labels) -> NDArray[np.int64]:
    """Codes for clusters: an item without the field is a cluster of its own."""
    import numpy as np

    alone = labels.codes < 0
    codes = labels.codes.copy()
    codes[alone] = len(labels.names) + np.arange(int(alone.sum()))
    return codes


def _text_of(row: public.ItemRow, root: str) -> str | None:
    texts = {
        "metadata": row.metadata_json,
        "input": row.input_json,
        "expected_output": row.expected_json,
        "context": row.context_json,
    }
    return texts[root]


def _name(text: str | None, rest: str) -> str | None:
    if text is None:
        return None
    value: Any = loads(text)
    if rest:
        try:
            value = get_path(value, rest)
        except PathError:
            return None
    if value is None:
        return None
    return (value if isinstance(value, str) else dumps(value))[:LABEL_CHARS]
