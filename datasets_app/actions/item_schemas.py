"""Change the JSON Schemas that the items of a dataset keep to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets_app.actions.history import INLINE_ITEMS, work_now
from datasets_app.actions.jobs import start_job
from datasets_app.actions.versions import item_count, stored_schemas
from datasets_app.item_schemas import LABELS, check_schemas
from datasets_app.models import Dataset, DatasetJob
from evalhub.access.models import User
from evalhub.kit.json import canonical, loads


def set_schemas(
    *, dataset: Dataset, schemas: Mapping[str, Any], by: User, message: str = ""
) -> DatasetJob | None:
    """Let `schemas` (by field; one that is left out goes) hold from a new version on.

    All items are checked first: up to INLINE_ITEMS at once, so that the job has ended when this
    returns (failed, when an item breaks a schema: see its problems, and bulk/schema_check.py for
    the whole list); above that in the background. None when nothing changes. Raises Invalid for
    what is no schema, and what `lock_for_change` does.
    """
    before = stored_schemas(dataset.pk, dataset.version)
    checked = {
        field: _kept(before.get(field), text) for field, text in check_schemas(schemas).items()
    }
    if checked == before:
        return None
    changed = {field: text for field, text in checked.items() if before.get(field) != text}
    job = start_job(
        dataset=dataset,
        kind="set_schemas",
        params={"schemas": checked, "check": changed},
        by=by,
        message=message.strip() or _message(before, checked),
    )
    few = item_count(dataset.pk, dataset.version) <= INLINE_ITEMS
    return work_now(job, dataset) if few else job


def _kept(before: str | None, text: str) -> str:
    """The text as it was when it says the same in another form; else the new one."""
    same = before is not None and canonical(loads(before)) == canonical(loads(text))
    return before if same and before is not None else text


def _message(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """ "Schema of input set, schema of metadata removed"."""
    parts = []
    for field, label in LABELS.items():
        if before.get(field) != after.get(field):
            verb = "set" if field not in before else "removed" if field not in after else "changed"
            parts.append(f"schema of {label.lower()} {verb}")
    text = ", ".join(parts)
    return text[0].upper() + text[1:]
