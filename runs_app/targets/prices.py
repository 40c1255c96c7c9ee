"""What a model's tokens cost, and the most that a call may cost. Pure.

Prices come from the configuration or from the tables of genai-prices, which are found by the
provider's address and the model's name. An unknown price is None, never 0: a model on a server of
one's own has no price until somebody states one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

DEFAULT_OUTPUT_TOKENS: Final = 4_096  # assumed for estimates when no maximum is sent
BYTES_PER_TOKEN: Final = 2  # at least; English text has about four
TOKENS_PER_MESSAGE: Final = 8


class Prices(Protocol):
    """The prices of one model."""

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float | None:
        """US dollars; `cached_tokens` are those of the input that the provider had kept."""


@dataclass(frozen=True, slots=True)
class LinearPrices:
    """US dollars a token and a call. `cached`: for input tokens that the provider had kept."""

    input: float
    output: float
    cached: float
    call: float = 0.0

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        cached_tokens = min(cached_tokens, input_tokens)
        return (
            (input_tokens - cached_tokens) * self.input
            + cached_tokens * self.cached
            + output_tokens * self.output
            + self.call
        )


@dataclass(frozen=True, slots=True)
class TieredPrices:
    """Prices that change with the length of the input: the library works them out (0.1 ms a call)
    from `linear_below` input tokens on.
    """

    linear: LinearPrices
    linear_below: int
    model_price: Any

    def cost(self, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float | None:
        if input_tokens < self.linear_below:
            return self.linear.cost(input_tokens, output_tokens, cached_tokens)
        return _table_cost(self.model_price, input_tokens, output_tokens, cached_tokens)


def find_prices(
    model: str, base_url: str, given: Mapping[str, float] | None = None
) -> Prices | None:
    """The prices of a model; None when they are not known.

    `given` holds US dollars per million tokens: `input_per_million` and `output_per_million`.
    """
    if given is not None:
        each = given["input_per_million"] / 1e6
        return LinearPrices(each, given["output_per_million"] / 1e6, each)
    if not _is_public_name(base_url):
        return None
    # Imported here: the tables take 0.2 s to load, and only targets that call providers need them.
    from genai_prices import Usage, calc_price

    try:
        found = calc_price(
            Usage(input_tokens=1, output_tokens=1), model, provider_api_url=base_url
        ).model_price
    except (LookupError, ValueError):
        return None
    linear = _linear(found)
    if linear is None:
        return None
    below = _first_tier(found)
    if below is None and _agrees(linear, found, 1_000_000):
        return linear
    if below is None or not _agrees(linear, found, below - 1):
        below = 0
    return TieredPrices(linear, below, found)


def token_bound(texts_bytes: int, messages: int) -> int:
    """The most tokens that messages of so many bytes should have."""
    return texts_bytes // BYTES_PER_TOKEN + messages * TOKENS_PER_MESSAGE + 1


def output_bound(parameters: Mapping[str, Any]) -> int:
    """The most tokens that a reply may have by its request's parameters."""
    for name in ("max_completion_tokens", "max_tokens"):
        most = parameters.get(name)
        if isinstance(most, int) and not isinstance(most, bool) and most > 0:
            return most
    return DEFAULT_OUTPUT_TOKENS


def _is_public_name(base_url: str) -> bool:
    """Whether the host could be a provider's: no address of digits, no name without a dot."""
    try:
        host = urlsplit(base_url).hostname or ""
    except ValueError:
        return False
    return "." in host and not host.rpartition(".")[2].isdigit()


def _table_cost(
    model_price: Any, input_tokens: int, output_tokens: int, cached: int
) -> float | None:
    from genai_prices import Usage

    usage = Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    if cached:
        usage.cache_read_tokens = min(cached, input_tokens)
    try:
        return float(model_price.calc_price(usage)["total_price"])
    except (LookupError, ValueError):
        return None


def _linear(model_price: Any) -> LinearPrices | None:
    """The prices of short calls; None when tokens have no price (speech, free models)."""
    call = _table_cost(model_price, 0, 0, 0)
    given = _table_cost(model_price, 1_000, 0, 0)
    got = _table_cost(model_price, 0, 1_000, 0)
    cached = _table_cost(model_price, 1_000, 0, 1_000)
    if call is None or given is None or got is None or cached is None:
        return None
    if given == call and got == call:
        return None
    return LinearPrices((given - call) / 1_000, (got - call) / 1_000, (cached - call) / 1_000, call)


def _first_tier(model_price: Any) -> int | None:
    """The number of input tokens from which another price holds, None without tiers."""
    starts = [
        tier.start for price in vars(model_price).values() for tier in getattr(price, "tiers", ())
    ]
    return min(starts, default=None)


def _agrees(linear: LinearPrices, model_price: Any, most: int) -> bool:
    """Whether the library comes to the same cost for short, usual and long calls."""
    for usage in ((7, 3, 0), (2_000, 500, 1_000), (most, 20_000, 0)):
        cost = _table_cost(model_price, *usage)
        if cost is None or abs(cost - linear.cost(*usage)) > 1e-9 + 1e-6 * cost:
            return False
    return True
