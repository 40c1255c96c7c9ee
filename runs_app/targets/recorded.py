"""Outputs that exist already: a path into the item. Pure."""

from __future__ import annotations

from evalhub.kit.errors import Invalid
from evalhub.kit.json import PathError, dumps, get_path, loads
from runs_app.targets.base import ItemCall, TargetFailure, TargetInfo

ROOTS = ("input", "metadata", "context")


class RecordedTarget:
    """Reads the output at `path`, such as `metadata.gpt.answer`, from the item."""

    instant = True

    def __init__(self, path: str) -> None:
        self.root, _, self.rest = path.partition(".")
        self.path = path

    async def call(self, item: ItemCall) -> str:
        text = {
            "input": item.input_json,
            "metadata": item.metadata_json,
            "context": item.context_json,
        }[self.root]
        if text is None:
            raise TargetFailure("no_recorded_output", f"The item has no {self.root}.")
        if not self.rest:
            return text
        try:
            return dumps(get_path(loads(text), self.rest))
        except PathError as error:
            raise TargetFailure(
                "no_recorded_output", f"The item has no {self.path}: {error}"
            ) from error

    async def close(self) -> None:
        """Nothing to let go of."""


def info(path: str) -> TargetInfo:
    """The target for a path. Raises Invalid when it cannot lead into an item."""
    root, _, rest = path.partition(".")
    if root not in ROOTS or (not rest and root != "input"):
        raise Invalid(
            f"“{path}” leads nowhere in an item. A recorded output lies under input, metadata or "
            "context, such as recorded:metadata.answer."
        )
    return TargetInfo(
        ref=f"recorded:{path}",
        id=path,
        name=f"Recorded {path}",
        kind="agent",
        transport="recorded",
        description="An output that the items hold already.",
        version="",
        module="",
    )
