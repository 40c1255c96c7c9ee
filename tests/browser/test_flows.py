"""What a newcomer does, in a real browser against the product as `make up` starts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser

QUESTIONS = """question,answer,topic,model_a,model_b
What is 1 + 1?,2,sum,2,2
"What is 2 + 2?
Say the number.",4,sum,5,4
What is 3 × 3?,9,product,9,9
a row that is,too short
What is 10 / 4?,2.5,quotient,2.5,2
<script>alert(1)</script>,x,hostile,x,x
"""


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("files") / "questions.csv"
    file.write_text(QUESTIONS)
    return file


@pytest.fixture(scope="module")
def without_script(product: Product, signed_in: BrowserContext, browser: Browser) -> Iterator[Page]:
    """The same session in a browser that runs no script."""
    context = browser.new_context(
        java_script_enabled=False, storage_state=signed_in.storage_state()
    )
    yield context.new_page()
    context.close()


def import_file(page: Page, product: Product, name: str, file: Path) -> None:
    """Make a dataset and take `file` through the four steps."""
    page.goto(f"{product.url}/p/default/datasets/new")
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("button", name="Create and import a file").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Continue to columns").click()
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Check ")).click()


def test_the_printed_link_lands_on_a_finished_comparison(product: Product, page: Page) -> None:
    page.goto(f"{product.url}/p/demo/compare?run=1&run=2")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("category improved by 25.0 points")
    expect(page.get_by_role("row", name=re.compile("^category"))).to_contain_text("Better")
    expect(page.get_by_role("row", name=re.compile("^priority"))).to_contain_text("Cannot tell")


def test_a_comparison_opens_its_classes_and_the_items_of_a_slice(
    product: Product, page: Page
) -> None:
    page.goto(f"{product.url}/p/demo/compare?run=1&run=2")
    page.locator("summary", has_text="Classes").click()
    classes = page.locator("#compare-classes")
    expect(classes.get_by_role("row", name=re.compile("^Accuracy"))).to_contain_text("+25.0 pts")
    classes.get_by_role("link", name="expected_output.priority").click()
    expect(classes.get_by_role("row", name=re.compile("^urgent")).first).to_be_visible()
    expect(page.locator("#compare-classes")).to_have_count(1)
    page.get_by_label("Slice by").select_option("metadata.product_area")
    page.get_by_role("link", name="8 improved in plans").click()
    items = page.locator("#items")
    expect(items.locator("tbody tr")).to_have_count(8)
    items.get_by_role("link", name="Show all slices").click()
    expect(items.locator("tbody tr")).to_have_count(18)
    assert "value=" not in page.url
    page.get_by_label("Margin").fill("9")
    page.get_by_label("Margin").press("Enter")
    expect(page.get_by_text("margin, 9 points worse")).to_be_visible()


def test_the_printed_link_works_once(product: Product, signed_in: BrowserContext) -> None:
    other = signed_in.browser
    assert other is not None
    context = other.new_context()
    opened = context.new_page()
    answer = opened.goto(product.link)
    assert answer is not None
    assert answer.status == 410
    expect(opened.locator("body")).to_contain_text("does not work any more")
    context.close()


def test_a_file_is_imported_and_its_bad_row_explained(
    product: Product, page: Page, questions: Path
) -> None:
    import_file(page, product, "Questions", questions)
    expect(page.locator("main")).to_contain_text(
        "6topica row that is,too shortThe row has 2 cells", timeout=15_000
    )
    page.get_by_role("button", name=re.compile("Import 5 rows")).click()
    expect(page.locator("main")).to_contain_text("5", timeout=15_000)
    page.wait_for_url(re.compile("/progress"))
    expect(page.get_by_role("link", name=re.compile("View items|Open|items")).first).to_be_visible(
        timeout=15_000
    )
    page.goto(f"{product.url}/p/default/datasets/questions/items")
    expect(page.locator("tbody tr")).to_have_count(5)
    page.get_by_role("link", name="0005").click()
    expect(page.locator("#detail")).to_contain_text("<script>alert(1)</script>")


def test_a_run_is_started_followed_and_compared(product: Product, page: Page) -> None:
    for model in ("model_a", "model_b"):
        page.goto(f"{product.url}/p/default/runs/new?dataset=questions")
        page.locator("input[name=target][value=recorded]").check()
        page.get_by_label(re.compile("path", re.IGNORECASE)).first.fill(f"metadata.{model}")
        page.get_by_role("button", name="Start run").last.click()
        page.wait_for_url(re.compile(r"/runs/\d+"))
        expect(page.locator("main")).to_contain_text("Completed", timeout=20_000)
    page.reload()  # a page that came while some results were in keeps the others behind a button
    page.get_by_role("link", name="0002").click()
    expect(page.locator("#detail")).to_contain_text("Pass")
    page.goto(f"{product.url}/p/default/compare?run=1&run=2")
    expect(page.locator("main")).to_contain_text("5 items are in both runs")
    expect(page.locator("main")).to_contain_text("Too few items")


def test_an_edit_is_saved_as_a_version_and_shows_in_the_history(
    product: Product, page: Page
) -> None:
    page.goto(f"{product.url}/p/default/datasets/questions/items/1")
    page.locator("#detail").get_by_role("link", name="Edit").click()
    page.get_by_label("Expected output").fill('"two"')
    page.get_by_role("button", name="Save as v2").click()
    expect(page.locator("#detail")).to_contain_text("two")
    page.goto(f"{product.url}/p/default/datasets/questions/items/1")
    expect(page.locator(".timeline li")).to_have_count(2)
    page.goto(f"{product.url}/p/default/datasets/questions/items?v=1")
    expect(page.locator("main")).to_contain_text("v1")
    expect(page.get_by_role("link", name="Add item")).to_have_count(0)


def test_a_stale_edit_is_refused_with_both_contents(product: Product, page: Page) -> None:
    edit = f"{product.url}/p/default/datasets/questions/items/3/edit"
    page.goto(edit)
    other = page.context.new_page()
    other.goto(edit)
    other.get_by_label("Expected output").fill('"nine"')
    other.get_by_role("button", name=re.compile("Save as")).click()
    expect(other.locator("#detail")).to_contain_text("nine")
    other.close()
    page.get_by_label("Expected output").fill('"neun"')
    page.get_by_role("button", name=re.compile("Save as")).click()
    expect(page.locator("#detail")).to_contain_text("while you were editing")
    expect(page.locator("#detail")).to_contain_text("nine")
    page.get_by_role("button", name=re.compile("Keep mine")).click()
    expect(page.locator("#detail")).to_contain_text("neun")


def test_the_main_job_works_without_script(
    product: Product, without_script: Page, questions: Path
) -> None:
    page = without_script
    import_file(page, product, "No script", questions)
    for _ in range(30):
        if page.get_by_role("button", name=re.compile("Import 5 rows")).count():
            break
        page.wait_for_timeout(500)
        page.reload()
    page.get_by_role("button", name=re.compile("Import 5 rows")).click()
    for _ in range(30):
        page.goto(f"{product.url}/p/default/datasets/no-script/items")
        if page.locator("tbody tr").count() == 5:
            break
        page.wait_for_timeout(500)
    assert page.locator("tbody tr").count() == 5
    page.goto(f"{product.url}/p/default/runs/new?dataset=no-script")
    page.locator("input[name=target][value=recorded]").check()
    page.get_by_label(re.compile("path", re.IGNORECASE)).first.fill("metadata.model_a")
    page.get_by_role("button", name="Start run").last.click()
    for _ in range(30):
        if "Completed" in page.locator("main").inner_text():
            break
        page.wait_for_timeout(500)
        page.reload()
    assert "Completed" in page.locator("main").inner_text()
