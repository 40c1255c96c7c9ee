"""Each flow with script and without: forms and links alone must do all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser


@pytest.fixture(params=["script", "no script"])
def way(
    request: pytest.FixtureRequest, signed_in: BrowserContext, browser: Browser
) -> Iterator[Page]:
    """A page of the same session; in its second life of a browser that runs no script."""
    context = browser.new_context(
        java_script_enabled=request.param == "script", storage_state=signed_in.storage_state()
    )
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    yield opened
    context.close()


@pytest.fixture
def dataset(way: Page, product: Product, request: pytest.FixtureRequest) -> str:
    """The address of a new dataset with three items, made by hand."""
    name = re.sub(r"\W+", " ", request.node.name)
    way.goto(f"{product.url}/p/default/datasets/new")
    way.get_by_role("textbox", name="Name").fill(name)
    way.get_by_role("button", name="Create empty").click()
    way.wait_for_url(re.compile(r"/datasets/[\w-]+/"))
    base = re.sub(r"(/datasets/[\w-]+).*", r"\1", way.url)
    for question, answer in (("What is 1 + 1?", "2"), ("What is 2 + 2?", "4"), ("Why?", "So.")):
        way.goto(f"{base}/items/new")
        way.get_by_label(re.compile("^Input")).fill(question)
        way.get_by_label(re.compile("^Expected output")).fill(answer)
        way.get_by_role("button", name=re.compile("^Save as v")).click()
        expect(way.locator("main")).to_contain_text(question)
    return base


def test_an_item_is_added_viewed_edited_and_saved(way: Page, dataset: str) -> None:
    way.goto(f"{dataset}/items")
    expect(way.locator("tbody tr")).to_have_count(3)
    way.locator("tbody tr").nth(1).get_by_role("link").first.click()
    expect(way.locator("#detail")).to_contain_text("What is 2 + 2?")
    way.locator("#detail").get_by_role("link", name="Edit").click()
    way.get_by_label(re.compile("^Expected output")).fill("four")
    way.get_by_role("button", name="Save as v4").click()
    expect(way.locator("#detail")).to_contain_text("four")
    expect(way.locator("#detail")).to_contain_text("v4")


def test_items_are_selected_exported_put_into_a_dataset_and_deleted(
    way: Page, dataset: str, tmp_path: Path
) -> None:
    way.goto(f"{dataset}/items/select")
    way.get_by_label("Select item 1", exact=True).check()
    way.get_by_label("Select item 3", exact=True).check()
    way.locator("summary", has_text="Export").click()
    with way.expect_download() as download:
        way.get_by_role("button", name=re.compile("^Export JSONL")).click()
    download.value.save_as(tmp_path / "items.jsonl")
    lines = (tmp_path / "items.jsonl").read_text().splitlines()
    assert ["What is 1 + 1?" in lines[0], "Why?" in lines[1], len(lines)] == [True, True, 2]
    way.get_by_role("button", name="Create dataset").click()
    way.get_by_role("textbox", name="Name").last.fill(f"Chosen {dataset.rpartition('/')[2]}")
    way.locator(".dialog__foot").get_by_role("button", name=re.compile("^Create")).click()
    way.wait_for_url(re.compile(r"/datasets/chosen-"))
    expect(way.locator("tbody tr")).to_have_count(2)
    way.goto(f"{dataset}/items/select")
    way.get_by_label("Select item 2", exact=True).check()
    way.get_by_role("button", name="Delete").click()
    way.locator(".dialog__foot").get_by_role("button", name=re.compile("^Delete")).click()
    expect(way.locator("main")).not_to_contain_text("What is 2 + 2?")
    way.goto(f"{dataset}/items")
    expect(way.locator("tbody tr")).to_have_count(2)


def test_runs_are_compared_and_a_regression_opened(way: Page, product: Product) -> None:
    way.goto(f"{product.url}/p/demo/datasets/support-tickets/runs")
    for number in (1, 2):
        way.locator(f"input[name=run][value='{number}']").check()
    way.get_by_role("button", name=re.compile("^Compare")).first.click()
    expect(way.locator(".verdict")).to_contain_text("category improved by 25.0 points")
    way.get_by_role("link", name=re.compile("^Regressed")).click()
    way.locator("#items tbody tr").first.get_by_role("link").first.click()
    expect(way.locator("main")).to_contain_text("Expected")
    expect(way.locator("main del, main ins").first).to_be_visible()
    way.go_back()
    way.get_by_label("Slice by").select_option("metadata.plan")
    if way.get_by_role("button", name="Show", exact=True).count():
        way.get_by_role("button", name="Show", exact=True).first.click()
    expect(way.locator("main")).to_contain_text("greenhouse")


def test_a_note_on_a_regressed_item_is_seen_on_the_item_and_deleted(
    way: Page, product: Product
) -> None:
    way.goto(f"{product.url}/p/demo/compare?run=1&run=2&f=regressed&i=25")
    way.locator("#notes summary", has_text="Add a note").click()
    way.locator("#note-text").fill("The expected answer is wrong:\nit is billing.")
    way.get_by_role("button", name="Add note").click()
    expect(way.locator("#notes .note__text")).to_have_text(
        "The expected answer is wrong:\nit is billing."
    )
    assert "i=25" in way.url
    way.goto(f"{product.url}/p/demo/compare?run=1&run=2&f=regressed")
    expect(way.locator("#item-25 .note-mark")).to_have_text(re.compile("^1 note$"))
    way.goto(f"{product.url}/p/demo/datasets/support-tickets/items/25")
    way.locator(".note summary").click()
    way.get_by_role("button", name="Delete note").click()
    expect(way.locator(".note")).to_have_count(0)
    expect(way.locator("#detail h2")).to_contain_text("0025")
