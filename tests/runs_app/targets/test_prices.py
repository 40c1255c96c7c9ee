"""Costs against genai-prices itself; unknown is None."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price

from runs_app.targets.prices import (
    LinearPrices,
    TieredPrices,
    find_prices,
    output_bound,
    token_bound,
)

ROOT = Path(__file__).parents[3]
OPENAI = "https://api.openai.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai"
CASES = [
    ("gpt-4o-mini", OPENAI),
    ("gemini-2.5-pro", GOOGLE),
    ("claude-sonnet-4-5", "https://api.anthropic.com/v1"),
    ("openai/gpt-4o", "https://openrouter.ai/api/v1"),
    ("sonar", "https://api.perplexity.ai"),
]


@pytest.mark.parametrize(("model", "url"), CASES)
@pytest.mark.parametrize(
    "usage", [(12, 7), (5_000, 800), (199_999, 10), (200_001, 10), (900_000, 5)]
)
def test_costs_are_those_of_the_library(model: str, url: str, usage: tuple[int, int]) -> None:
    prices = find_prices(model, url)
    expected = calc_price(
        Usage(input_tokens=usage[0], output_tokens=usage[1]), model, provider_api_url=url
    )
    assert prices is not None
    assert prices.cost(*usage) == pytest.approx(float(expected.total_price), rel=1e-9)


def test_input_that_the_provider_had_kept_costs_less() -> None:
    prices = find_prices("gpt-4o-mini", OPENAI)
    expected = calc_price(
        Usage(input_tokens=1_000, cache_read_tokens=600, output_tokens=10),
        "gpt-4o-mini",
        provider_api_url=OPENAI,
    )
    assert prices is not None
    assert prices.cost(1_000, 10, 600) == pytest.approx(float(expected.total_price), rel=1e-9)


def test_prices_without_tiers_never_ask_the_library_again() -> None:
    assert isinstance(find_prices("gpt-4o-mini", OPENAI), LinearPrices)
    tiered = find_prices("gemini-2.5-pro", GOOGLE)
    assert isinstance(tiered, TieredPrices)
    assert tiered.linear_below == 200_000


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("gpt-4o", "http://127.0.0.1:8000/v1"),
        ("no-such-model", OPENAI),
        ("llama3", "https://models.example.com"),
        ("whisper-1", OPENAI),
    ],
)
def test_an_unknown_price_is_none(model: str, url: str) -> None:
    assert find_prices(model, url) is None


def test_a_server_on_this_machine_does_not_load_the_tables() -> None:
    code = (
        "import sys; from runs_app.targets.prices import find_prices; "
        "find_prices('gpt-4o', 'http://127.0.0.1:8000/v1'); "
        "find_prices('gpt-4o', 'http://ollama:11434/v1'); "
        "find_prices('gpt-4o', 'http://[::1]:8000/v1'); "
        "print('genai_prices' in sys.modules)"
    )
    setup = "import django; django.setup(); "
    done = subprocess.run(
        [sys.executable, "-c", setup + code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "False", done.stderr


def test_given_prices_win() -> None:
    prices = find_prices("gpt-4o", OPENAI, {"input_per_million": 2.0, "output_per_million": 10.0})
    assert prices is not None
    assert prices.cost(500_000, 100_000) == pytest.approx(2.0)


def test_bounds_for_estimates() -> None:
    assert token_bound(1_000, 2) == 517
    assert output_bound({}) == 4_096
    assert output_bound({"max_tokens": 5, "max_completion_tokens": 9}) == 9
    assert output_bound({"max_tokens": True}) == 4_096
