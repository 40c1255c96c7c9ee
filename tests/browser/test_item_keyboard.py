"""Three items edited one after the other, and one deletion undone, without a mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser
TICKETS = "/p/demo/datasets/support-tickets"
MOUSE = "click mousedown pointerdown touchstart"
WATCH = f"""for (const kind of "{MOUSE}".split(" "))
  addEventListener(kind, (event) => {{ if (event.detail) window.mouseUsed = true; }}, true);"""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, name: str) -> None:
    """Go on with Tab until the control with that name has the focus."""
    for _ in range(30):
        press(page, "Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_three_items_are_edited_from_the_keyboard_alone(product: Product, page: Page) -> None:
    page.add_init_script(WATCH)
    page.goto(f"{product.url}{TICKETS}/items")
    press(page, "j")
    for number in (11, 12, 13):
        while f"/items/{number}" not in page.evaluate("document.activeElement.href ?? ''"):
            press(page, "j")
        press(page, "Enter")
        heading = page.get_by_role("heading", name=f"Item {number:04d}")
        if number == 11:  # the list alone leads to a page, a list beside an item to a swap
            page.wait_for_url(re.compile(r"/items/11\b"))
            expect(heading).to_be_visible()
        else:
            expect(heading).to_be_focused()
        press(page, "e")
        expect(page.get_by_role("heading", name=f"Edit item {number:04d}")).to_be_focused()
        tab_to(page, "expected_output")
        press(page, "Control+a")
        page.keyboard.type('{"category": "edited"')
        # What is wrong is said while typing, before anything is sent.
        expect(page.locator("#id_expected_output_error .field__error")).to_be_visible()
        page.keyboard.type("}")
        expect(page.locator("#id_expected_output_error")).to_contain_text("Valid JSON")
        tab_to(page, "message")
        page.keyboard.type(f"Reviewed {number}")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(rf"/items/{number}\b(?!/edit)"))
        expect(page.locator("#toasts")).to_contain_text("Saved as v")
        expect(page.locator("#detail")).to_contain_text(f"Reviewed {number}")
        expect(page.locator("tr.is-open")).to_contain_text("edited")
    assert not page.evaluate("window.mouseUsed ?? false")


def test_a_text_area_saves_with_ctrl_enter_and_escape_leaves_without_saving(
    product: Product, page: Page
) -> None:
    page.goto(f"{product.url}{TICKETS}/items/14")
    press(page, "e")
    tab_to(page, "metadata")
    press(page, "Control+a")
    page.keyboard.type('{"n": 1}')
    press(page, "Control+Enter")
    page.wait_for_url(re.compile(r"/items/14$"))
    expect(page.locator("#toasts")).to_contain_text("Saved as v")
    press(page, "e")
    expect(page.get_by_role("heading", name="Edit item 0014")).to_be_focused()
    press(page, "Escape")
    page.wait_for_url(re.compile(r"/items/14$"))


def test_the_last_row_leads_to_the_rows_after_it(product: Product, page: Page) -> None:
    page.goto(f"{product.url}{TICKETS}/items/50")
    rows = page.locator("#item-rows tr")
    expect(rows).to_have_count(50)
    press(page, "j")
    expect(rows).to_have_count(60)
    expect(page.locator("[data-more]")).to_have_count(0)
    expect(page.locator(".htmx-added, .htmx-settling")).to_have_count(0)
    press(page, "j", "Enter")
    expect(page.get_by_role("heading", name="Item 0051")).to_be_focused()
    expect(page.locator("tr.is-open")).to_contain_text("0051")


def test_a_deletion_is_undone_with_the_button_of_its_toast(product: Product, page: Page) -> None:
    page.goto(f"{product.url}{TICKETS}/items/60/delete/")
    page.get_by_role("button", name="Delete item").press("Enter")
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    undo.press("Enter")
    page.wait_for_url(re.compile(r"/items/60$"))
    expect(page.locator("#toasts")).to_contain_text("Item 0060 is restored")
