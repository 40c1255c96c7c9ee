"""Selecting a range from the keyboard, changing it together, and taking that back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser
ITEMS = "/p/demo/datasets/support-tickets/items"


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_a_range_is_selected_changed_and_undone_with_the_keyboard(
    product: Product, page: Page
) -> None:
    page.goto(f"{product.url}{ITEMS}")
    press(page, "j", "j", "x")  # the second row, in the list with check boxes
    page.wait_for_url(re.compile(r"/items/select\?numbers=2$"))
    count = page.locator("[data-selected-count]")
    expect(count).to_have_text("1 selected")
    page.get_by_label("Select item 4", exact=True).focus()
    press(page, "Space")
    page.get_by_label("Select item 9", exact=True).focus()
    page.keyboard.press("Shift+Space")
    expect(count).to_have_text("7 selected")
    expect(page.get_by_label("Select all rows on this page")).to_have_js_property(
        "indeterminate", True
    )
    change = page.locator("summary", has_text="Change")
    change.focus()
    press(page, "Enter", "Tab", "Tab", "Enter")
    expect(page.get_by_role("heading", name="Add tags to 7 items")).to_be_visible()
    tags = page.get_by_label("Tags", exact=True)
    expect(tags).to_be_focused()
    page.keyboard.type("late, angry")
    press(page, "Enter")
    expect(page.locator(".toast")).to_contain_text("7 items changed in v")
    expect(page.locator("td .tag", has_text="angry")).to_have_count(7)
    page.locator(".toast").get_by_role("button", name="Undo").focus()
    press(page, "Enter")
    expect(page.locator(".toast")).to_contain_text("is undone in v")
    expect(page.locator("td .tag", has_text="angry")).to_have_count(0)


def test_all_that_match_are_selected_but_one(product: Product, page: Page) -> None:
    page.goto(f"{product.url}{ITEMS}/select")
    expect(page.get_by_role("button", name="Delete")).to_be_disabled()
    page.get_by_role("link", name=re.compile(r"^Select all \d+$")).click()
    count = page.locator("[data-selected-count]")
    total = int((count.text_content() or "").split()[0].replace(",", ""))
    page.get_by_label("Select item 3", exact=True).uncheck()
    expect(count).to_have_text(f"{total - 1} selected")
    page.get_by_label("Next page").click()
    page.wait_for_load_state()
    expect(count).to_have_text(f"{total - 1} selected")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name=f"Delete {total - 1} items?")).to_be_focused()
    press(page, "Escape")
    expect(page.get_by_role("button", name="Delete")).to_be_focused()
