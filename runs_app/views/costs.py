"""What two runs took, beside each other: latency, tokens, cost and errors, with their changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evalhub.kit.figures import duration_ms, integer, money, percent
from runs_app.statistics.measures import Measure
from runs_app.statistics.values import Interval


@dataclass(frozen=True, slots=True)
class CostLine:
    """One row. `change` is B - A in `unit` (as the tag `delta` takes it), None without; `interval`
    is its 95% interval as text; `certain` when that excludes 0."""

    name: str
    a: str
    b: str
    change: float | None = None
    unit: str = "integer"
    certain: bool = False
    interval: str = ""
    percent: str = ""


def cost_lines(
    measures: Mapping[str, Measure], a: Mapping[str, Any], b: Mapping[str, Any]
) -> list[CostLine]:
    """Rows for what the summaries `a` and `b` know; a measure that neither run has gets none.

    Totals show how much more or less in %, means over pairs their interval.
    """
    rows: list[CostLine] = []
    if a["cost_usd"] is not None or b["cost_usd"] is not None:
        rows.append(
            _total("Cost", a["cost_usd"], b["cost_usd"], money(a["cost_usd"]), money(b["cost_usd"]))
        )
        rows.append(_mean("Cost for 1,000 items", measures.get("cost_usd"), "money", 1000))
    if a["tokens"] or b["tokens"]:
        for name, key in (("Tokens in", "input"), ("Tokens out", "output")):
            one, other = ((side["tokens"] or {}).get(key) for side in (a, b))
            rows.append(_total(name, one, other, integer(one), integer(other)))
        rows.append(_mean("Tokens, mean by item", measures.get("tokens"), "integer"))
    errors = (a["failed"], b["failed"])
    rows.append(
        CostLine(
            "Errors",
            _of(errors[0], a["total_results"]),
            _of(errors[1], b["total_results"]),
            float(errors[1] - errors[0]),
        )
    )
    if a["retries"] or b["retries"]:
        change = float(b["retries"] - a["retries"])
        rows.append(CostLine("Retries", integer(a["retries"]), integer(b["retries"]), change))
    return [row for row in rows if row.name]


def latency_change(measures: Mapping[str, Measure]) -> CostLine | None:
    """The typical change of an item's latency; None below 10 pairs."""
    found = measures.get("latency_ms")
    if found is None or found.delta is None:
        return None
    return _mean("Latency", found, "duration")


def share_of_cost(a: Mapping[str, Any], b: Mapping[str, Any]) -> str:
    """ "B costs 35% more."; empty without both costs, or when they are within 1%."""
    one, other = a["cost_usd"], b["cost_usd"]
    if not one or other is None or abs(other / one - 1) < 0.01:
        return ""
    if other >= 2 * one:
        return f"B costs {other / one:.1f} times as much."
    return f"B costs {percent(abs(other / one - 1), 0)} {'more' if other > one else 'less'}."


def _total(name: str, one: float | None, other: float | None, a: str, b: str) -> CostLine:
    more = ""
    if one and other is not None:
        share = other / one - 1
        more = ("+" if share > 0 else "") + percent(share)
    return CostLine(name, a, b, percent=more)


def _mean(name: str, found: Measure | None, unit: str, times: int = 1) -> CostLine:
    """The mean by item, or for `times` items."""
    if found is None or found.a is None or found.b is None:
        return CostLine("", "", "")
    write = {"money": money, "duration": duration_ms, "integer": integer}[unit]
    return CostLine(
        name,
        write(found.a * times),
        write(found.b * times),
        None if found.delta is None else found.delta * times,
        unit,
        found.change in ("lower", "higher"),
        _interval(found.ci95, unit, times),
    )


def _interval(ci95: Interval | None, unit: str, times: int) -> str:
    if ci95 is None:
        return ""
    write = {"money": money, "duration": duration_ms, "integer": integer}[unit]
    return f"{write(ci95.low * times)} to {write(ci95.high * times)}"


def _of(errors: int, results: int) -> str:
    share = f" ({percent(errors / results)})" if errors and results else ""
    return f"{integer(errors)}{share}"
