"""The playground in a real browser: type, run, read, save; by keyboard, and without script."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser

TICKET = {"subject": "Refund", "body": "I was charged twice.", "channel": "email"}
ANSWER = "input"  # the path of a recorded output that any item has


def test_an_input_is_typed_run_shared_and_saved(product: Product, page: Page) -> None:
    page.goto(f"{product.url}/p/demo/runs")
    page.keyboard.press("g")
    page.keyboard.press("p")
    page.wait_for_url(re.compile("/p/demo/playground$"))
    expect(page.get_by_role("link", name="Playground")).to_have_attribute("aria-current", "page")
    page.get_by_role("button", name="Two targets").click()
    page.get_by_role("combobox", name="Target A").select_option("python:echo")
    page.get_by_role("combobox", name="Target B").select_option("python:demo.triage-v1")
    page.get_by_label("Expected output").fill('{"category": "nothing of the kind"}')
    box = page.locator("#id_input")
    box.fill(json.dumps(TICKET))
    box.press("Control+Enter")
    outputs = page.locator("#outputs")
    expect(outputs.locator(".facts")).to_have_count(2, timeout=20_000)
    expect(outputs).to_contain_text("differs from expected")
    expect(outputs).to_contain_text("exact_match")
    expect(box).to_be_focused()
    address = page.url
    assert address.count("run=") == 2
    page.reload()
    expect(box).to_have_value(re.compile("charged twice"))
    expect(outputs.locator(".facts")).to_have_count(2)
    page.get_by_role("button", name="Save as item").click()
    dialog = page.locator("#modal")
    dialog.get_by_role("combobox", name="Dataset").select_option(label="Support tickets")
    dialog.get_by_role("button", name="Save item").click()
    expect(dialog).to_contain_text("of Support tickets")
    dialog.get_by_role("link", name="Open item").click()
    expect(page.locator("#detail")).to_contain_text("charged twice")
    page.get_by_role("link", name="Try in playground").click()
    expect(page.locator("#id_input")).to_have_value(re.compile("charged twice"))
    assert page.url != address


def test_a_fault_is_shown_and_goes_when_it_is_mended(product: Product, page: Page) -> None:
    page.goto(f"{product.url}/p/demo/playground")
    box = page.locator("#id_input")
    box.fill('{"subject":')
    box.press("Control+Enter")
    expect(page.locator("#playground")).to_contain_text("Nothing was started")
    expect(page.locator("#id_input")).to_be_focused()
    box.fill(json.dumps(TICKET))
    page.get_by_role("button", name="Format Input").click()
    expect(box).to_have_value(re.compile(r'^{\n  "subject"'))
    box.press("Control+Enter")
    expect(page.locator("#outputs .facts")).to_have_count(1, timeout=20_000)
    expect(page.locator("#playground")).not_to_contain_text("Nothing was started")


def test_the_playground_works_without_script(
    product: Product, signed_in: BrowserContext, browser: Browser
) -> None:
    context = browser.new_context(
        java_script_enabled=False, storage_state=signed_in.storage_state()
    )
    page = context.new_page()
    page.goto(f"{product.url}/p/demo/playground?a=recorded:{ANSWER}")
    page.locator("#id_input").fill("How much is it?")
    page.get_by_role("button", name="Run").last.click()
    expect(page.locator("#outputs")).to_contain_text("Latency", timeout=20_000)
    expect(page.locator("#outputs")).to_contain_text("How much is it?")
    page.get_by_role("button", name="Save as item").click()
    expect(page.get_by_role("heading", name="Save as item")).to_be_visible()
    context.close()
