"""Trying a target with one input; a part of `Client`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evalhub_client import waiting
from evalhub_client.connection import Connection, Json, segment
from evalhub_client.runs import Scorer, given

NO_OUTPUT_EXPECTED: Final = object()
"""Says that there is no expected output; None is JSON null."""


class TrialMethods:
    """The methods of `Client` that speak of trials."""

    _connection: Connection

    def try_target(
        self,
        target: str,
        input: Any,
        *,
        expected_output: Any = NO_OUTPUT_EXPECTED,
        context: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        scorers: Sequence[Scorer] = (),
        timeout: float | None = None,
    ) -> Json:
        """The new trial, in status "pending"; see `wait_for_trial`.

        `target` and `scorers` are as in `start_run`. `timeout` is in seconds, for the one call.
        """
        body = {"target": target, **trial_body(input, expected_output, context, metadata, timeout)}
        body["scorers"] = [one if isinstance(one, str) else dict(one) for one in scorers]
        return self._connection.object("POST", "/playground", json=body)

    def get_trial(self, trial: str) -> Json:
        """`{id, status, output?, error, scores, latency_ms, spans, ...}`. Trials are kept for a
        day.
        """
        return self._connection.object("GET", _trial(trial))

    def wait_for_trial(
        self,
        trial: str,
        *,
        timeout: float | None = None,
        on_poll: Callable[[Json], None] | None = None,
    ) -> Json:
        """The trial once it has ended: `status` is "completed", "failed" or "cancelled".

        `on_poll` gets the trial each time it is asked for. Raises WaitTimeout after `timeout`
        seconds.
        """
        return waiting.wait(lambda: self.get_trial(trial), waiting.run_ended, timeout, on_poll)

    def cancel_trial(self, trial: str) -> Json:
        """The trial on its way to cancelled."""
        return self._connection.object("POST", f"{_trial(trial)}/cancel")


def trial_body(
    input: Any,
    expected_output: Any,
    context: Mapping[str, Any] | None,
    metadata: Mapping[str, Any] | None,
    timeout: float | None,
) -> Json:
    """One item and the time for it, as the API takes them; what is None is left out."""
    body: Json = {"input": input} | given(
        context=None if context is None else dict(context),
        metadata=None if metadata is None else dict(metadata),
        timeout=timeout,
    )
    if expected_output is not NO_OUTPUT_EXPECTED:
        body["expected_output"] = expected_output
    return body


def _trial(trial: str) -> str:
    return f"/playground/{segment(trial)}"
