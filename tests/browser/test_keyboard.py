"""Lists and details from the keyboard, and where the focus goes after a part was swapped."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser
TICKETS = "/p/demo/datasets/support-tickets"


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_results_are_walked_opened_and_closed(product: Product, page: Page) -> None:
    page.goto(f"{product.url}/p/demo/runs/2")
    press(page, "j", "j", "k", "Enter")
    expect(page.get_by_role("heading", name="Item 0001")).to_be_focused()
    press(page, "j", "Enter")
    expect(page.get_by_role("heading", name="Item 0002")).to_be_focused()
    page.get_by_label("Next result").click()
    expect(page.get_by_role("heading", name="Item 0003")).to_be_focused()
    expect(page.locator("tr.is-open")).to_contain_text("0003")
    assert page.title().startswith("Item 3 · Run 2")
    press(page, "Escape")
    page.wait_for_url(re.compile(r"/runs/2$"))


def test_items_are_walked_edited_and_made(product: Product, page: Page) -> None:
    page.goto(f"{product.url}{TICKETS}/items")
    press(page, "j", "Enter")
    page.wait_for_url(re.compile("/items/1$"))
    press(page, "j", "Enter")
    expect(page.get_by_role("heading", name="Item 0002")).to_be_focused()
    press(page, "e")
    expect(page.get_by_role("heading", name="Edit item 0002")).to_be_focused()
    press(page, "Escape")
    page.wait_for_url(re.compile("/items/2$"))
    press(page, "n")
    page.wait_for_url(re.compile("/items/new$"))


def test_slash_searches_escape_leaves_and_letters_are_text_there(
    product: Product, page: Page
) -> None:
    page.goto(f"{product.url}{TICKETS}/items")
    press(page, "/", "n")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    expect(search).to_have_value("n")
    search.fill("")
    press(page, "Escape")
    expect(search).not_to_be_focused()


def test_a_dialog_takes_the_focus_and_gives_it_back(product: Product, page: Page) -> None:
    page.goto(f"{product.url}/p/demo/datasets/")
    opener = page.get_by_role("link", name="New dataset")
    opener.focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="New dataset")).to_be_focused()
    press(page, "Escape")
    expect(opener).to_be_focused()


def test_on_a_phone_an_opened_result_is_seen_at_once(product: Product, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{product.url}/p/demo/runs/2")
    page.get_by_role("link", name="0040").click()
    heading = page.get_by_role("heading", name="Item 0040")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    expect(page.get_by_role("link", name="0040")).to_have_count(0)
