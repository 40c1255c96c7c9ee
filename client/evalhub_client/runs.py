"""What a client can do with runs; a part of `Client`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from evalhub_client import waiting
from evalhub_client.connection import Connection, Json, segment

Scorer = str | Mapping[str, Any]


class RunMethods:
    """The methods of `Client` that speak of runs."""

    _connection: Connection

    def list_runs(self, dataset: str | None = None) -> Iterator[Json]:
        """Runs of a dataset, or of the project when None, newest first."""
        return self._connection.pages(
            "/runs" if dataset is None else f"{dataset_path(dataset)}/runs"
        )

    def start_run(
        self,
        dataset: str,
        *,
        target: str | None = None,
        scorers: Sequence[Scorer] | None = None,
        version: int | None = None,
        name: str | None = None,
        selection: Mapping[str, Any] | None = None,
        limit: int | None = None,
        repetitions: int | None = None,
        context: Mapping[str, Any] | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        retries: int | None = None,
        deadline: float | None = None,
        stop_after_errors: int | None = None,
        stop_error_share: float | None = None,
        max_tokens: int | None = None,
        max_cost_usd: float | None = None,
        tags: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Json:
        """The new run, in status "pending"; see `wait_for_run`.

        `target` is a target's id or name, "python:ID", or "recorded:PATH"; each scorer a name or
        an object such as `{"use": "numeric_match", "name": "answer"}`, the first one the primary.
        `selection` is `{split, where, sample, seed, failed_of, limit}`, each optional: items of a
        split, those that pass a filter, the errors of another run, a sample, the first n.
        `timeout` is in seconds for one try of one item, `deadline` for all its tries. A run stops
        as failed after `stop_after_errors` errors or a share of them (0..1), and as cancelled
        before the call that would pass a cap. What is None is the server's own choice.
        """
        body = given(
            target=target,
            scorers=None if scorers is None else [_scorer(one) for one in scorers],
            version=version,
            name=name,
            selection=None if selection is None else dict(selection),
            limit=limit,
            repetitions=repetitions,
            context=None if context is None else dict(context),
            concurrency=concurrency,
            timeout=timeout,
            retries=retries,
            deadline=deadline,
            stop_after_errors=stop_after_errors,
            stop_error_share=stop_error_share,
            max_tokens=max_tokens,
            max_cost_usd=max_cost_usd,
            tags=None if tags is None else list(tags),
            metadata=None if metadata is None else dict(metadata),
        )
        return self._connection.object("POST", f"{dataset_path(dataset)}/runs", json=body)

    def get_run(self, run: int | str) -> Json:
        """The run with its `progress` (counts, rate, ETA) and `summary` (scores, latency)."""
        return self._connection.object("GET", _run(run))

    def wait_for_run(
        self,
        run: int | str,
        *,
        timeout: float | None = None,
        on_poll: Callable[[Json], None] | None = None,
    ) -> Json:
        """The run once it has ended: `status` is "completed", "failed" or "cancelled".

        `on_poll` gets the run each time it is asked for. Raises WaitTimeout after `timeout`
        seconds.
        """
        return waiting.wait(lambda: self.get_run(run), waiting.run_ended, timeout, on_poll)

    def cancel_run(self, run: int | str) -> Json:
        """The run, cancelled; results that are there stay."""
        return self._connection.object("POST", f"{_run(run)}/cancel")

    def pause_run(self, run: int | str) -> Json:
        """The run, with `paused_at`: calls in flight end, no new one begins."""
        return self._connection.object("POST", f"{_run(run)}/pause")

    def resume_run(self, run: int | str) -> Json:
        """The run, going on after a pause."""
        return self._connection.object("POST", f"{_run(run)}/resume")

    def retry_run(self, run: int | str) -> Json:
        """The run, open again for its errors and for what it skipped; good results stay."""
        return self._connection.object("POST", f"{_run(run)}/retry")

    def rescore_run(self, run: int | str, scorers: Sequence[Scorer], *, mode: str = "add") -> Json:
        """The run, with `rescore` while its results get their new scores in the background.

        `mode` "add" keeps the scorers of other names, "replace" none.
        """
        body = {"scorers": [_scorer(one) for one in scorers], "mode": mode}
        return self._connection.object("POST", f"{_run(run)}/rescore", json=body)

    def wait_for_rescore(
        self,
        run: int | str,
        *,
        timeout: float | None = None,
        on_poll: Callable[[Json], None] | None = None,
    ) -> Json:
        """The run once no rescore of it is under way any more. Raises WaitTimeout."""
        return waiting.wait(lambda: self.get_run(run), waiting.rescore_ended, timeout, on_poll)

    def delete_run(self, run: int | str) -> None:
        """Delete a run that is over, with its results and scores."""
        self._connection.call("DELETE", _run(run))

    def list_run_events(self, run: int | str) -> Iterator[Json]:
        """`{at, kind, seats, message}` of what happened to the run, newest first."""
        return self._connection.pages(f"{_run(run)}/events")

    def list_results(
        self, run: int | str, *, show: str | None = None, q: str = ""
    ) -> Iterator[Json]:
        """Results in the order of the items. `show` is "all", "fail", "error" or "not_scored"."""
        return self._connection.pages(f"{_run(run)}/results", params={"show": show, "q": q})

    def compare_runs(
        self,
        run_a: int | str,
        run_b: int | str,
        *more: int | str,
        margin: float | None = None,
        margins: Mapping[str, float] | None = None,
        cluster: str | None = None,
        slices: str | None = None,
        classes: str | None = None,
        gate: str | Sequence[str] | None = None,
        on_poll: Callable[[Json], None] | None = None,
    ) -> Json:
        """`{pairing, scorers: [...], ...}`: for each scorer the change from A to B with its
        verdict. With `more` runs, every run against the first: `{runs, scorers: [...], ...}`.

        Shares are 0..1, deltas are B - A; `margin` is in points (hundredths of the range; each
        scorer's own when None), and `margins` has those of single scorers. `cluster` is a field
        of the items that keeps them together ("" for none), `slices` one to look at value by
        value, `classes` one of the expected output that says a class: accuracy, precision, recall
        and F1 of both runs. With `gate`, such as "no-significant-regression", the answer has
        `gate: {passed, inconclusive, reasons}`.
        Very large runs are prepared first; `on_poll` then gets `{preparing: {done, total}}`.
        """
        body = {
            "runs": [str(run) for run in (run_a, run_b, *more)],
            **given(
                margin=margin,
                margins=None if margins is None else dict(margins),
                cluster=cluster,
                slices=slices,
                classes=classes,
                gate=gate if gate is None or isinstance(gate, str) else list(gate),
            ),
        }
        return waiting.wait(
            lambda: self._connection.object("POST", "/datasets/compare", json=body),
            lambda found: "preparing" not in found,
            None,
            on_poll,
        )


def dataset_path(dataset: str) -> str:
    """Where the API has a dataset."""
    return f"/datasets/{segment(dataset)}"


def given(**values: Any) -> Json:
    """Those values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def _run(run: int | str) -> str:
    return f"/datasets/runs/{segment(run)}"


def _scorer(scorer: Scorer) -> Any:
    return scorer if isinstance(scorer, str) else dict(scorer)
