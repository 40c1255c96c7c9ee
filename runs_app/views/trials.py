"""How a trial is shown: its values out of their JSON, the diff, its trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalhub.kit.json import canonical, loads
from runs_app.trials import TrialState
from runs_app.views.shown import Compared, compared
from runs_app.views.traces import TraceView, trace_view


@dataclass(frozen=True, slots=True)
class ShownTrial:
    """A trial with its values. `output` means nothing without an outcome, or in an error.

    `same` says whether the output is the expected one, None when there is nothing to say; `diff`
    is there when they differ.
    """

    state: TrialState
    output: Any
    same: bool | None
    diff: Compared | None
    trace: TraceView | None

    @property
    def succeeded(self) -> bool:
        return self.state.outcome is not None and not self.state.outcome.error_type


def shown_trial(state: TrialState, trace_url: str) -> ShownTrial:
    """The trial as the page shows it; `trace_url` is the project's template."""
    outcome = state.outcome
    output = same = diff = None
    if outcome is not None and outcome.output_json is not None:
        output = loads(outcome.output_json)
        if state.expected_json is not None:
            expected = loads(state.expected_json)
            same = canonical(output) == canonical(expected)
            diff = None if same else compared(expected, output)
    trace = None
    if outcome is not None:
        trace = trace_view(outcome.spans_json, outcome.trace_id, trace_url)
    return ShownTrial(state, output, same, diff, trace)
