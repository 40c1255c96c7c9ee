"""`make screenshots`: every page on demo data, wide and phone, light and dark, into screenshots/."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.product import Product, chromium, running
from tests.messy import write_messy

OUT = Path("screenshots")
SIZES = {"w1440": (1440, 1000), "w390": (390, 844)}
TICKETS = "/p/demo/datasets/support-tickets"
NEW_TICKET = {"subject": "A voucher for two", "body": "Can we share it?", "channel": "web"}
VOUCHER = """{
  "category": "billing",
  "priority": "normal",
  "reply": "The voucher is good for one year. Enter it under Plan, Voucher, on the day you start."
}"""
PAGES = {
    "datasets": "/p/demo/datasets/",
    "datasets-empty": "/p/default/datasets/",
    "datasets-none-found": "/p/demo/datasets/?q=nothing-of-the-kind",
    "dataset-new": "/p/demo/datasets/new",
    "dataset-items": f"{TICKETS}/items",
    "dataset-items-none-found": f"{TICKETS}/items?q=nothing-of-the-kind",
    "dataset-items-filter": f"{TICKETS}/items/filter",
    "dataset-items-select": f"{TICKETS}/items/select?numbers=2",
    "dataset-item": f"{TICKETS}/items/3",
    "dataset-item-deleted": f"{TICKETS}/items/57?v=1",
    "dataset-item-edit": f"{TICKETS}/items/3/edit",
    "dataset-item-new": f"{TICKETS}/items/new",
    "dataset-item-delete": f"{TICKETS}/items/3/delete/",
    "dataset-item-history": f"{TICKETS}/items/3/history",
    "dataset-item-copy": f"{TICKETS}/items/3/copy",
    "dataset-item-purge": f"{TICKETS}/items/3/purge/",
    "dataset-runs": f"{TICKETS}/runs",
    "dataset-versions": f"{TICKETS}/versions",
    "dataset-version-edit": f"{TICKETS}/versions/1/edit",
    "dataset-diff": f"{TICKETS}/diff?from=1&to=5",
    "dataset-diff-item": f"{TICKETS}/diff/3?from=1&to=5",
    "dataset-schema": f"{TICKETS}/schema",
    "dataset-settings": f"{TICKETS}/settings",
    "dataset-defaults": f"{TICKETS}/defaults",
    "dataset-duplicate": f"{TICKETS}/duplicate",
    "dataset-delete": f"{TICKETS}/delete/",
    "import-1-upload": f"{TICKETS}/import",
    "runs": "/p/demo/runs",
    "runs-empty": "/p/default/runs",
    "run-new": "/p/demo/runs/new?dataset=support-tickets",
    "run-new-empty": "/p/default/runs/new",
    "run": "/p/demo/runs/2",
    "run-result": "/p/demo/runs/2/results/4",
    "run-failures": "/p/demo/runs/2?f=fail",
    "run-classes": "/p/demo/runs/2/classes",
    "run-notable": "/p/demo/runs/2/notable",
    "run-calibration": "/p/demo/runs/2/calibration",
    "run-rescore": "/p/demo/runs/2/rescore/",
    "run-delete": "/p/demo/runs/2/delete/",
    "dataset-runs-latency": f"{TICKETS}/runs?show=p95",
    "compare": "/p/demo/compare?run=1&run=2",
    "compare-item": "/p/demo/compare?run=1&run=2&i=4",
    "compare-slice": "/p/demo/compare?run=1&run=2&slice=metadata.product_area&value=plans",
    "compare-classes": "/p/demo/compare/classes?run=1&run=2",
    "compare-many": "/p/demo/compare?run=1&run=2&run=3",
    "compare-many-item": "/p/demo/compare?run=1&run=2&run=3&i=4",
    "compare-choose": "/p/demo/compare",
    "compare-empty": "/p/default/compare",
    "playground": "/p/demo/playground?item=support-tickets:12",
    "playground-empty": "/p/default/playground",
    "targets": "/p/demo/targets",
    "target-new": "/p/demo/targets/new",
    "target-new-chat": "/p/demo/targets/new?kind=agent&transport=chat",
    "target-new-http": "/p/demo/targets/new?kind=workflow&transport=http",
    "target-test": "/p/demo/targets/test?target=python:demo.triage-v1",
    "target": "/p/demo/targets/house-agent",
    "target-edit": "/p/demo/targets/house-agent/edit",
    "target-delete": "/p/demo/targets/house-agent/delete/",
    "recordings": "/p/demo/targets/recordings",
    "connections": "/p/demo/connections",
    "connections-empty": "/p/default/connections",
    "connection": "/p/demo/connections/house-model",
    "connection-new": "/p/demo/connections/new",
    "connection-delete": "/p/demo/connections/house-model/delete/",
    "settings": "/p/demo/settings",
    "project-delete": "/p/demo/delete/",
    "account": "/account",
    "project-new": "/projects/new",
    "link-used": "/sign-in/used-already",
    "not-found": "/p/demo/runs/999",
}


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with (
        tempfile.TemporaryDirectory(prefix="evalhub-screenshots-") as home,
        running(Path(home), EVALHUB_PLUGINS="tests.picture_targets") as product,
        chromium() as browser,
    ):
        _live(product, browser)
        _throttled(product, browser)
        page = _page(product, browser, *SIZES["w1440"], "light")
        furnish(page, product.url)
        page.context.close()
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                page = _page(product, browser, width, height, scheme)
                for name, path in PAGES.items():
                    page.goto(product.url + path)
                    _take(page, f"{name}-{size}-{scheme}")
                page.context.close()
        _outputs(product, browser)
        _wizard(product, browser)
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}/")


def furnish(page: Page, url: str) -> None:
    """A connection, a saved target, a note and later versions of the tickets, which the demo has
    not."""
    page.goto(f"{url}/p/demo/connections/new")
    page.get_by_label("Name").fill("House model")
    page.get_by_label("Base URL").fill("https://models.example.com/v1")
    page.get_by_role("button", name="Create connection").click()
    page.wait_for_url("**/connections**")
    page.goto(f"{url}/p/demo/targets/new?kind=agent&transport=http")
    page.get_by_role("textbox", name="Name").fill("House agent")
    page.get_by_label("Connection").select_option(value="house-model")
    page.get_by_label("Address").fill("/run")
    page.get_by_role("button", name="Save as v1").click()
    page.wait_for_url("**/targets/house-agent")
    page.goto(f"{url}{TICKETS}/items/4")
    page.get_by_text("Add a note").click()
    page.locator("#note-text").fill("The customer asks for a refund:\nshould this not be billing?")
    page.get_by_role("button", name="Add note").click()
    page.locator(".note").wait_for()
    _revise(page, f"{url}{TICKETS}")


def _revise(page: Page, tickets: str) -> None:
    """Versions 2 to 5 of the tickets: two changed, one deleted, one new."""
    area = {"product_area": "hub", "plan": "greenhouse", "language": "en"}
    _save_item(page, f"{tickets}/items/3/edit", VOUCHER, message="Vouchers run out since June")
    _save_item(page, f"{tickets}/items/8/edit", metadata=json.dumps(area))
    page.goto(f"{tickets}/items/57/delete/")
    page.get_by_role("button", name="Delete item").click()
    page.get_by_text("Item 0057 is deleted").wait_for()
    _save_item(page, f"{tickets}/items/new", VOUCHER, input=json.dumps(NEW_TICKET))


def _save_item(page: Page, form: str, expected: str = "", **fields: str) -> None:
    page.goto(form)
    for name, value in (fields | ({"expected_output": expected} if expected else {})).items():
        page.fill(f".split__detail [name={name}]", value)
    page.get_by_role("button", name=re.compile("^Save as v")).click()
    page.wait_for_url(re.compile(r"/items/\d+$"))


def start_throttled(page: Page, url: str, repetitions: int = 4) -> None:
    """A run of the tickets, scored as the demo's, whose target asks for fewer calls; opens it."""
    page.goto(f"{url}/p/demo/runs/new?run=1&target=python:support.small-agent")
    page.fill("[name=name]", "Small and cheap")
    page.fill("[name=concurrency]", "8")
    page.fill("[name=repetitions]", str(repetitions))
    page.get_by_role("button", name="Start run").click()
    page.wait_for_url(re.compile(r"/runs/\d+$"))


def _live(product: Product, browser: Browser) -> None:
    """The sign-in page, then the link, while the demo is still running."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.goto(product.url)
    _take(page, "sign-in-w1440-light")
    page.goto(product.link)
    _take(page, "compare-live-w1440-light")
    page.wait_for_selector("text=improved by", timeout=60_000)
    context.storage_state(path=str(product.home / "state.json"))
    context.close()


def _throttled(product: Product, browser: Browser) -> None:
    """A run whose target asks for fewer calls: live, paused with its log, and a trace of it."""
    page = _page(product, browser, *SIZES["w1440"], "light")
    start_throttled(page, product.url)
    run = page.url
    page.get_by_text("as the target asked for fewer").wait_for(timeout=30_000)
    page.get_by_text("Latency, so far").wait_for(timeout=30_000)
    _everywhere(page, "run-throttled")
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Nothing is in flight").wait_for(timeout=30_000)
    page.locator("summary", has_text="What happened").click()
    _everywhere(page, "run-paused")
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("Completed").first.wait_for(timeout=120_000)
    page.goto(f"{run}/results/4")
    page.locator(".trace summary").first.click()
    _everywhere(page, "run-trace", at=".trace")
    page.context.close()


def _everywhere(page: Page, name: str, at: str = "") -> None:
    """The page as it stands, in every size and both schemes; with `at` only what is round that."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            if at:
                page.locator(at).scroll_into_view_if_needed()
            _take(page, f"{name}-{size}-{scheme}", whole=not at)
    page.set_viewport_size({"width": SIZES["w1440"][0], "height": SIZES["w1440"][1]})
    page.emulate_media(color_scheme="light")


def _page(product: Product, browser: Browser, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        storage_state=str(product.home / "state.json"),
        reduced_motion="reduce",
    )
    return context.new_page()


def _wizard(product: Product, browser: Browser) -> None:
    """The steps of an import that have no address of their own."""
    page = _page(product, browser, *SIZES["w1440"], "light")
    page.goto(f"{product.url}{TICKETS}/import")
    page.locator("input[type=file]").set_input_files(write_messy(product.home))
    page.get_by_role("button", name="Continue to columns").click()
    page.wait_for_selector("text=Preview")
    _everywhere(page, "import-2-map")
    page.locator("button.btn--primary").last.click()
    page.wait_for_selector("text=Rows read", timeout=20_000)
    _everywhere(page, "import-3-check")
    page.locator("button.btn--primary").last.click()
    page.wait_for_url("**/progress")
    _take(page, "import-4-progress-w1440-light")
    page.get_by_role("link", name="View items").wait_for()
    _everywhere(page, "import-5-done")
    page.goto(f"{product.url}{TICKETS}/items")
    _everywhere(page, "dataset-items-many")
    page.context.close()


def _outputs(product: Product, browser: Browser) -> None:
    """What two targets answer in the playground, and what opens over a page."""
    page = _page(product, browser, *SIZES["w1440"], "light")
    page.goto(
        f"{product.url}/p/demo/playground?item=support-tickets:12"
        "&a=python:support.small-agent&b=python:demo.triage-v2"
    )
    page.locator("#id_input").press("Control+Enter")
    page.locator("#outputs .facts").nth(1).wait_for()
    _everywhere(page, "playground-outputs")
    page.get_by_role("button", name="Save as item").click()
    page.locator("#modal").wait_for()
    _everywhere(page, "playground-save", at="dialog[open]")
    page.goto(f"{product.url}{TICKETS}/items")
    page.get_by_role("link", name="Filter").click()
    page.locator("#modal").wait_for()
    _everywhere(page, "dialog-filter", at="dialog[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    _everywhere(page, "dialog-shortcuts", at="dialog[open]")
    page.context.close()


def _take(page: Page, name: str, *, whole: bool = True) -> None:
    if whole:
        page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=OUT / f"{name}.png", full_page=whole)


if __name__ == "__main__":
    main()
