"""A running product and a browser for the whole session; no Chromium is a loud skip, in CI a
failure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.product import INSTALL, Product, chromium, chromium_path, running

SIZES = {"wide": {"width": 1440, "height": 1000}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if chromium_path() is None:
        missing = f"Chromium is not installed: {INSTALL}"
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def product(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """evalhub on an empty folder, with the demo, started after the browser is known to be there."""
    with running(tmp_path_factory.mktemp("browser-home")) as started:
        yield started


@pytest.fixture(scope="session")
def signed_in(product: Product, browser: Browser) -> Iterator[BrowserContext]:
    """A browser context that has used the printed link."""
    context = browser.new_context(viewport=SIZES["wide"])  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(product.link)
    page.wait_for_selector("text=category improved by", timeout=60_000)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A page that fails its test on any console error or script error (a CSP violation is one)."""
    opened = signed_in.new_page()
    opened.set_default_timeout(10_000)
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on(
        "console",
        lambda message: problems.append(message.text) if message.type == "error" else None,
    )
    yield opened
    opened.close()
    # A refused form is an answer of 4xx, which the console lists as a failed resource.
    assert [text for text in problems if "status of 4" not in text] == []
