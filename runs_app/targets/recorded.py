"""Outputs that exist already: in the item, in an uploaded file, or of another run.

None of these calls anything. What is not in the item is read for a whole claim at once, in the
database thread (`prepare`); a call then only looks it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from datasets_app import public
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import PathError, dumps, get_path, loads
from evalhub.kit.whole import LARGEST_NUMBER
from runs_app.models import RecordedOutput, Recording, Result, Run
from runs_app.targets.base import ItemCall, PlainTarget, Target, TargetFailure, TargetInfo
from runs_app.targets.trace import Trace

ROOTS = ("input", "metadata", "context")
MISSING = "no_recorded_output"
BATCH = 500  # SQLite takes a bounded number of parameters


class RecordedTarget(PlainTarget):
    """Reads the output at `path`, such as `metadata.gpt.answer`, from the item."""

    instant = True

    def __init__(self, path: str) -> None:
        self.root, _, self.rest = path.partition(".")
        self.path = path

    async def call(self, item: ItemCall, trace: Trace) -> str:
        text = {
            "input": item.input_json,
            "metadata": item.metadata_json,
            "context": item.context_json,
        }[self.root]
        if text is None:
            raise TargetFailure(MISSING, f"The item has no {self.root}.")
        if not self.rest:
            return text
        try:
            return dumps(get_path(loads(text), self.rest))
        except PathError as error:
            raise TargetFailure(MISSING, f"The item has no {self.path}: {error}") from error


class LookedUp(PlainTarget):
    """The part that files and runs share: outputs, or failures, of the items of a claim."""

    instant = True

    def __init__(self) -> None:
        self.found: dict[tuple[int, int], str | TargetFailure] = {}  # (item, repetition)

    async def call(self, item: ItemCall, trace: Trace) -> str:
        found = self.found.pop((item.number, item.repetition), None)
        if found is None:
            raise TargetFailure(MISSING, self.missing(item))
        if isinstance(found, TargetFailure):
            raise found
        return found

    def missing(self, item: ItemCall) -> str:
        """Why there is no output for the item, in a sentence."""
        raise NotImplementedError


class RecordingTarget(LookedUp):
    """The outputs of an uploaded file, found by item number or by external id."""

    def __init__(self, slug: str, project_slug: str) -> None:
        super().__init__()
        self.slug, self.project_slug = slug, project_slug
        self.key_field: str | None = None

    def prepare(self, items: Sequence[ItemCall]) -> None:
        if self.key_field is None:
            recordings = Recording.objects.filter(project__slug=self.project_slug, slug=self.slug)
            self.key_field = recordings.values_list("key_field", flat=True).first()
        outputs = RecordedOutput.objects.filter(
            recording__slug=self.slug, recording__project__slug=self.project_slug
        )
        for some in _batches(items):
            by_key = {self._key(item): item for item in some}
            found = dict(outputs.filter(key__in=by_key).values_list("key", "output_json"))
            for item in some:
                if (output := found.get(self._key(item))) is not None:
                    self.found[item.number, item.repetition] = output

    def missing(self, item: ItemCall) -> str:
        if self.key_field is None:
            return f"There is no recording “{self.slug}” any more."
        if self.key_field == "external_id":
            if item.external_id is None:
                return f"The item has no external id, by which “{self.slug}” keeps its outputs."
            return f"“{self.slug}” has no output for the external id “{item.external_id}”."
        return f"“{self.slug}” has no output for item number {item.number}."

    def _key(self, item: ItemCall) -> str:
        return str(item.number) if self.key_field == "number" else item.external_id or ""


class RunTarget(LookedUp):
    """The outputs of another run; its errors are errors again.

    Items are found by their number when both runs are of one dataset (`by` "number"), else by their
    external id. A run with fewer repetitions gives its outputs again.
    """

    def __init__(self, number: int, by: str, project_slug: str) -> None:
        super().__init__()
        self.number, self.by, self.project_slug = number, by, project_slug
        self.run: Run | None = None

    def prepare(self, items: Sequence[ItemCall]) -> None:
        if self.run is None:
            self.run = runs_to_read(self.project_slug).filter(number=self.number).first()
            if self.run is None:
                return
        for some in _batches(items):
            self._read(self.run, some)

    def missing(self, item: ItemCall) -> str:
        if self.run is None:
            return f"There is no run {self.number} any more."
        if self.by == "number":
            return f"Run {self.number} has no result for item number {item.number}."
        if item.external_id is None:
            return f"The item has no external id, by which it would be found in run {self.number}."
        return f"Run {self.number} has no result for the external id “{item.external_id}”."

    def _read(self, run: Run, items: Sequence[ItemCall]) -> None:
        numbers = {item.number: item.number for item in items}
        if self.by != "number":
            assert run.dataset_id is not None
            wanted = [item.external_id for item in items if item.external_id is not None]
            known = public.numbers_by_external_id(run.dataset_id, run.dataset_version, wanted)
            numbers = {
                item.number: known[item.external_id]
                for item in items
                if item.external_id is not None and item.external_id in known
            }
        rows = Result.objects.filter(run=run, item_number__in=set(numbers.values()))
        found: dict[tuple[int, int], str | TargetFailure] = {}
        for row in rows.only(
            "item_number", "repetition", "output_json", "error_type", "error_message"
        ):
            output = row.output_json
            if output is None:
                found[row.item_number, row.repetition] = TargetFailure(
                    row.error_type, row.error_message
                )
            else:
                found[row.item_number, row.repetition] = output
        for item in items:
            key = (numbers.get(item.number, 0), item.repetition % run.repetitions)
            if key in found:
                self.found[item.number, item.repetition] = found[key]


def runs_to_read(project_slug: str) -> Any:
    """The project's runs whose outputs another run may read."""
    return Run.objects.listed().filter(project__slug=project_slug, dataset__isnull=False)


def build(config: dict[str, Any], project_slug: str) -> Target:
    """The target of a checked configuration."""
    if "recording" in config:
        return RecordingTarget(config["recording"], project_slug)
    if "run" in config:
        return RunTarget(config["run"], config.get("by", "number"), project_slug)
    return RecordedTarget(config["path"])


def check_config(config: dict[str, Any], project_slug: str) -> dict[str, Any]:
    """The configuration of a saved target: {"path"}, {"recording": slug} or {"run": number}.

    Raises Invalid, also when the recording or the run is not there.
    """
    given = {name for name in ("path", "recording", "run") if config.get(name) not in (None, "")}
    if len(given) != 1:
        detail = "Say where the outputs are: a path into the item, a recording, or a run."
        raise Invalid(detail, errors=[FieldError("/config", detail)])
    name = given.pop()
    value = config[name]
    try:
        if name == "path":
            return path_info(str(value)).config
        if name == "recording":
            return recording_info(str(value), project_slug).config
        return {"run": run_info(str(value), project_slug).config["run"]}
    except Invalid as error:
        error.errors = [FieldError(f"/config/{name}", error.detail)]
        raise


def with_dataset(
    config: dict[str, Any], project_slug: str, dataset_id: int | None
) -> dict[str, Any]:
    """The configuration as a run over `dataset_id` keeps it: how items are found in another run.

    Raises Invalid when that run is not there any more.
    """
    if "run" not in config:
        return config
    return run_info(str(config["run"]), project_slug, dataset_id).config


def path_info(path: str) -> TargetInfo:
    """The target for a path. Raises Invalid when it cannot lead into an item."""
    root, _, rest = path.partition(".")
    if root not in ROOTS or (not rest and root != "input"):
        raise Invalid(
            f"“{path}” leads nowhere in an item. A recorded output lies under input, metadata or "
            "context, such as recorded:metadata.answer."
        )
    return _info(
        f"recorded:{path}",
        path,
        f"Recorded {path}",
        "An output that the items hold already.",
        {"path": path},
    )


def recording_info(slug: str, project_slug: str) -> TargetInfo:
    """The target for an uploaded file. Raises Invalid when there is none."""
    found = Recording.objects.filter(project__slug=project_slug, slug=slug).first()
    if found is None:
        raise Invalid(f"There is no recording “{slug}” in this project. Upload it first.")
    description = f"{found.rows:,} uploaded outputs."
    return _info(f"file:{slug}", slug, f"Recording {found.name}", description, {"recording": slug})


def run_info(ref: str, project_slug: str, dataset_id: int | None = None) -> TargetInfo:
    """The target for another run's outputs, over a dataset (None: any other). Raises Invalid."""
    digits = ref.removeprefix("#")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 11 else 0
    run: Run | None = None
    if 0 < number <= LARGEST_NUMBER:
        run = runs_to_read(project_slug).filter(number=number).first()
    if run is None:
        raise Invalid(f"There is no run “{ref}” in this project whose outputs could be read.")
    if run.active:
        raise Invalid(f"Run {number} is not over yet. Its outputs can be read when it is.")
    by = "number" if run.dataset_id == dataset_id else "external_id"
    return _info(
        f"run:{number}",
        str(number),
        f"Outputs of run {number}",
        f"What {run.target_name} gave in run {number}.",
        {"run": number, "by": by},
    )


def _info(ref: str, id: str, name: str, description: str, config: dict[str, Any]) -> TargetInfo:
    return TargetInfo(
        ref=ref,
        id=id,
        name=name,
        kind="agent",
        transport="recorded",
        description=description,
        version="",
        config=config,
    )


def _batches(items: Sequence[ItemCall]) -> Iterator[Sequence[ItemCall]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
