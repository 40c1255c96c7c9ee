"""The configuration of a chat target, checked and complete. Pure."""

from __future__ import annotations

import math
from typing import Any, Final

from runs_app.targets.config_checks import Checks

FIELDS: Final = ("connection", "model", "system", "user", "parameters", "response", "prices")
DEFAULT_USER: Final = "{{ input }}"
OURS: Final = ("model", "messages", "stream", "stream_options")  # no parameters: they are set here
PRICES: Final = ("input_per_million", "output_per_million")


def check_config(config: dict[str, Any]) -> dict[str, Any]:
    """All fields, with their defaults. Raises Invalid with a pointer for each problem."""
    checks = Checks(config, FIELDS)
    checked: dict[str, Any] = {
        "connection": checks.text(
            "connection", most=80, needed="Choose the connection to call the model through."
        ),
        "model": checks.text(
            "model", most=200, needed="Name the model, such as the provider lists it."
        ),
        "system": checks.template("system"),
        "user": checks.template("user", default=DEFAULT_USER),
        "parameters": _parameters(checks),
        "response": _response(checks),
        "prices": _prices(checks),
    }
    if not checked["user"].strip():
        checked["user"] = DEFAULT_USER
    if checked["response"]["format"] == "json" and "response_format" in checked["parameters"]:
        checks.fail(
            "/parameters/response_format",
            "The response is asked for as JSON already, which sets response_format. Take one away.",
        )
    checks.done()
    return checked


def _parameters(checks: Checks) -> dict[str, Any]:
    parameters = checks.mapping("parameters")
    for name in OURS:
        if name in parameters:
            checks.fail(f"/parameters/{name}", f"“{name}” is set by the target itself.")
    if parameters.get("n", 1) != 1:
        checks.fail("/parameters/n", "One reply is kept for each call. For several, repeat items.")
    return parameters


def _response(checks: Checks) -> dict[str, Any]:
    given = checks.given.get("response")
    inner = Checks({} if given is None else given, ("format", "schema"), "/config/response")
    form = inner.text("format", most=10, default="text")
    if form not in ("text", "json"):
        inner.fail("/format", "The response is “text” or “json”.")
    schema = inner.mapping("schema") or None
    if schema is not None and form == "text":
        inner.fail("/schema", "A schema needs the response format “json”.")
    checks.errors += inner.errors
    return {"format": form, "schema": schema}


def _prices(checks: Checks) -> dict[str, float] | None:
    given = checks.given.get("prices")
    if given is None:
        return None
    inner = Checks(given, PRICES, "/config/prices")
    for name in PRICES:
        value = inner.given.get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not 0 <= value <= 1e6:  # type: ignore[arg-type,operator]
            inner.fail(f"/{name}", "A price is a number of US dollars per million tokens.")
    checks.errors += inner.errors
    return None if inner.errors else {name: float(inner.given[name]) for name in PRICES}
