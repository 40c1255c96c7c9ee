"""What comes out of the printer: the findings, in light colours, without what wants a click."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser
A4_AT_96_DPI = {"width": 718, "height": 1000}  # between its margins
TICKETS = "/p/demo/datasets/support-tickets"
PAGES = {
    "/p/demo/compare?run=1&run=2": (".verdict", "table", "#run-a"),
    "/p/demo/runs/2?f=fail": (".stats", "table", ".chip[aria-current]"),
    "/p/demo/runs/2/results/4": (".detail__body", ".diff"),
    f"{TICKETS}/items": ("table", ".page-header__bar > .menu > summary"),
    f"{TICKETS}/runs": (".chart--trend", "table"),
    f"{TICKETS}/diff?from=0&to=1": ("[name=from]", ".changes"),
}
# A field without its frame reads as text.
CONTROLS = """
() => [...document.querySelectorAll("button, input, summary, a.btn, .sidebar, .pager, .menu__list")]
  .filter((one) => one.checkVisibility() && getComputedStyle(one).borderStyle !== "none")
  .map((one) => one.outerHTML.slice(0, 120))
"""
LUMINANCE = """
(selector) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.fillStyle = getComputedStyle(document.querySelector(selector)).color;
  canvas.fillRect(0, 0, 1, 1);
  return canvas.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((sum, one) => sum + one, 0) / 765;
}
"""


@pytest.fixture(scope="module")
def paper(signed_in: BrowserContext, browser: Browser) -> Iterator[Page]:
    """A page as it would be printed by somebody who likes it dark."""
    context = browser.new_context(
        storage_state=signed_in.storage_state(), color_scheme="dark", viewport=A4_AT_96_DPI
    )
    page = context.new_page()
    page.emulate_media(media="print")
    yield page
    context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_printed_light_whole_and_without_controls(
    product: Product, paper: Page, path: str
) -> None:
    paper.goto(product.url + path)
    for shown in ("h1", *PAGES[path]):
        expect(paper.locator(shown).first).to_be_visible()
    assert paper.evaluate(CONTROLS) == []
    assert paper.evaluate(LUMINANCE, "h1") < 0.2, "dark text, which stands on white"
    assert paper.evaluate("document.documentElement.scrollWidth") <= A4_AT_96_DPI["width"]
    for long in paper.locator(".split__list, .split__detail").all():
        assert long.evaluate("(one) => one.scrollHeight <= one.clientHeight + 1"), "cut off"
    paper.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert paper.evaluate(LUMINANCE, "h1") < 0.2, "dark was chosen"
