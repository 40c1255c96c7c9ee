"""The mapping that a project last used for a file with the same columns."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.db.models.functions import Now

from datasets_app.importing.drafts import compile
from datasets_app.importing.mapping import Mapping, MappingError
from datasets_app.importing.mending import has_notes, past_notes, without_notes
from datasets_app.models import RememberedMapping
from evalhub.kit import json


def remember(project_id: int, columns: Sequence[str], mapping: Mapping) -> None:
    """Propose the mapping for the project's next file with these columns."""
    RememberedMapping.objects.update_or_create(
        project_id=project_id,
        columns_hash=_hash(columns),
        defaults={"mapping": mapping.to_dict(), "used_at": Now()},
    )


def recall(project_id: int, columns: Sequence[str]) -> Mapping | None:
    """The mapping to propose; None when no such file has been mapped.

    A file of bad rows is mapped as the file that they come from.
    """
    found = RememberedMapping.objects.filter(
        project=project_id, columns_hash=_hash(columns)
    ).first()
    if found is None:
        if not has_notes(columns):
            return None
        whole = recall(project_id, without_notes(columns))
        return None if whole is None else past_notes(whole)
    try:
        mapping = Mapping.from_dict(found.mapping)
        compile(mapping, columns)
    except MappingError:
        return None  # of another release
    return mapping


def _hash(columns: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(list(columns)).encode()).hexdigest()
