"""The margin of a scorer: the loss to shrug off, in points (hundredths of its range)."""

from __future__ import annotations

from collections.abc import Sequence

from runs_app.defaults import Defaults
from runs_app.joining import SharedScorer

DEFAULT_MARGIN = 2.0


def stored_margins(shared: Sequence[SharedScorer], usual: Defaults) -> dict[str, float]:
    """{scorer: its margin}: what run B says of it, else run A, else the dataset's default scorer of
    that name, else DEFAULT_MARGIN."""
    of_dataset = {str(spec.get("name", spec.get("use"))): spec for spec in usual.scorers}
    found = {}
    for scorer in shared:
        specs = (scorer.b.spec, scorer.a.spec, of_dataset.get(scorer.name, {}))
        said = [spec["margin"] for spec in specs if spec.get("margin") is not None]
        found[scorer.name] = float(said[0]) if said else DEFAULT_MARGIN
    return found
