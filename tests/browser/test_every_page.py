"""Every page that `make screenshots` walks, and what opens on them: accessible in both themes, quiet,
still, light, and no wider than a phone. What that means in figures is in finish.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import RequestFactory
from playwright.sync_api import Browser, BrowserContext, Page, expect

from evalhub.views import server_error
from tests.browser import screenshots
from tests.browser.finish import WATCH, WIDE, Noise, faults
from tests.browser.product import Product
from tests.messy import write_messy

pytestmark = pytest.mark.browser
TICKETS = screenshots.TICKETS
REFUSED = "main .field__error, main [role=alert]"
OPEN_MENUS = """
() => [...document.querySelectorAll("details.menu")].map((one) => { one.open = true; }).length
"""
STATUS = {"link-used": 410, "not-found": 404}
PARTS = {  # the pages of each part by how their names begin, so that a failure says where
    "items": ("dataset-item",),
    "datasets": ("dataset", "import"),
    "runs": ("run",),
    "comparisons": ("compare",),
    "targets": ("target", "recording", "connection", "playground"),
    "people": ("",),
}


class Walk:
    """One page that goes from place to place, and what was found at each."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.found: list[str] = []
        self.noise = Noise()
        self.noise.listen(page)

    def to(self, path: str, status: int = 200) -> Page:
        answer = self.page.goto(self.url + path)
        assert answer is not None
        assert answer.status == status, f"{path} answers {answer.status}"
        assert "unsafe" not in (answer.header_value("content-security-policy") or "unsafe"), path
        return self.page

    def look(self, name: str) -> None:
        self.found += faults(self.page, name, self.noise)

    def acted(self) -> None:
        """What somebody did has its answer, which may come where other things were."""
        self.page.evaluate("Object.assign(window.seenByTests, { shift: 0, moved: [] })")

    def refused(self) -> None:
        """The form was refused, as it should be, and the console says no more than that."""
        self.acted()
        said = self.noise.taken()
        assert len(said) <= 1, said
        assert all("status of 4" in line for line in said), said


def part_of(name: str) -> str:
    return next(part for part, begins in PARTS.items() if name.startswith(begins))


@pytest.fixture(scope="module")
def furnished(product: Product, signed_in: BrowserContext, browser: Browser) -> Iterator[Page]:
    """A watched page on a demo project that has one of everything; it shows a run with traces."""
    context = browser.new_context(
        storage_state=signed_in.storage_state(),
        reduced_motion="reduce",  # a colour halfway through its transition is nobody's fault
        viewport={"width": WIDE[0], "height": WIDE[1]},
    )
    context.add_init_script(WATCH)
    context.set_default_timeout(20_000)
    page = context.new_page()
    screenshots.furnish(page, product.url)
    screenshots.start_throttled(page, product.url, repetitions=1)
    page.get_by_text("Completed").first.wait_for()
    yield page
    context.close()


@pytest.fixture
def walk(furnished: Page, product: Product) -> Iterator[Walk]:
    walk = Walk(furnished.context.new_page(), product.url)
    yield walk
    walk.page.close()
    assert not walk.found, "\n".join(walk.found)


def test_a_run_in_its_states(walk: Walk, furnished: Page) -> None:
    page = walk.page
    screenshots.start_throttled(page, walk.url)
    page.get_by_text("Latency, so far").wait_for()
    page.locator(".stats--awaited").wait_for(state="detached")
    page.get_by_text(re.compile(r"Show \d+ new results")).wait_for()
    walk.look("run, live")
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Nothing is in flight").wait_for()
    page.locator("summary", has_text="What happened").click()
    walk.acted()
    walk.look("run, paused, its log open")
    page.get_by_role("link", name="Cancel").click()
    dialog = page.locator("#cancel")
    expect(dialog).to_be_visible()
    walk.look("run, cancel dialog")
    dialog.locator("button.btn--danger-fill").click()
    page.get_by_text("Cancelled").first.wait_for()
    walk.acted()
    walk.look("run, cancelled")
    walk.to(f"{furnished.url.removeprefix(walk.url)}/results/4")
    page.locator(".trace summary").first.click()
    page.locator("summary", has_text="Slowest and worst").click()
    page.locator("summary", has_text="Classes").click()
    expect(page.locator("details.method[open] table")).not_to_have_count(0)
    walk.acted()
    walk.look("run, over, a trace and its panels open")


@pytest.mark.parametrize("part", PARTS)
def test_pages(walk: Walk, part: str) -> None:
    for name, path in screenshots.PAGES.items():
        if part_of(name) == part:
            walk.to(path, STATUS.get(name, 200))
            walk.look(name)


def test_the_steps_of_an_import(walk: Walk, tmp_path_factory: pytest.TempPathFactory) -> None:
    page = walk.to("/p/demo/datasets/new")
    page.get_by_role("textbox", name="Name").fill("Every page")
    page.get_by_role("button", name="Create and import a file").click()
    page.locator("input[type=file]").set_input_files(
        {"name": "empty.csv", "mimeType": "text/csv", "buffer": b""}
    )
    page.get_by_role("button", name="Continue to columns").click()
    page.locator(REFUSED).first.wait_for()
    walk.refused()
    walk.look("import, refused file")
    page.locator("input[type=file]").set_input_files(
        write_messy(tmp_path_factory.mktemp("every-page"))
    )
    page.get_by_role("button", name="Continue to columns").click()
    page.get_by_role("heading", name="Preview").wait_for()
    walk.look("import, columns")
    page.locator("button.btn--primary").last.click()
    page.get_by_text("Rows read").wait_for()
    walk.look("import, check")
    page.locator("button.btn--primary").last.click()
    page.wait_for_url("**/progress")
    page.get_by_role("link", name="View items").wait_for()
    walk.look("import, done")
    walk.to("/p/demo/datasets/every-page/items/2")
    walk.look("dataset of 1,963 items")


def test_dialogs_and_menus(walk: Walk) -> None:
    page = walk.to("/p/demo/datasets/")
    page.get_by_role("link", name="New dataset").click()
    modal = page.locator("#modal")
    expect(modal).to_be_visible()
    walk.look("new dataset, dialog")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    walk.look("shortcuts, dialog")
    page.keyboard.press("Escape")
    walk.to(f"{TICKETS}/items")
    page.get_by_role("link", name="Filter").click()
    expect(modal).to_be_visible()
    walk.look("filter, dialog")
    walk.to(f"{TICKETS}/items/3")
    assert page.evaluate(OPEN_MENUS) > 4  # project, person, version, export, and the item's own
    walk.look("item, its menus open")
    walk.to(f"{TICKETS}/items/select?numbers=2")
    page.locator("summary", has_text="Change").click()
    page.get_by_role("button", name="Add tags").click()
    expect(modal).to_be_visible()
    walk.look("add tags, dialog")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Add to dataset").click()
    expect(modal).to_be_visible()
    walk.look("add to dataset, dialog")


def test_outputs_in_the_playground(walk: Walk) -> None:
    page = walk.to("/p/demo/playground?item=support-tickets:12&b=python:demo.triage-v2")
    page.locator("#id_input").press("Control+Enter")
    expect(page.locator("#outputs .facts")).to_have_count(2)
    walk.acted()
    walk.look("playground, two outputs")
    page.get_by_role("button", name="Save as item").click()
    expect(page.locator("#modal")).to_be_visible()
    walk.look("playground, save dialog")
    page.keyboard.press("Escape")
    page.locator("#id_input").fill('{"subject":')
    page.locator("#id_input").press("Control+Enter")
    page.get_by_text("Nothing was started").wait_for()
    walk.acted()
    walk.refused()
    walk.look("playground, refused input")


def test_forms_that_are_refused(walk: Walk) -> None:
    page = walk.page
    for path, button in {
        "/p/demo/datasets/new": "Create",
        "/p/demo/runs/new?dataset=support-tickets": "Start run",
        "/p/demo/targets/new?kind=agent&transport=chat": "Save as v1",
        "/p/demo/connections/new": "Create connection",
        f"{TICKETS}/items/new": "Save as",
        f"{TICKETS}/items?where=(((": "",
    }.items():
        if button:
            walk.to(path)
            page.locator("main button", has_text=button).last.click()
        else:
            walk.to(path, 422)
        page.locator(REFUSED).first.wait_for()
        walk.refused()
        walk.look(f"{path}, refused")


def test_pages_of_errors(walk: Walk, browser: Browser) -> None:
    walk.to(f"{TICKETS}/export?format=nope", 422)
    walk.look("refused address")
    page = walk.to("/projects/new")
    page.locator("main [name=csrfmiddlewaretoken]").evaluate("(one) => { one.value = 'old'; }")
    page.get_by_label("Name").fill("Not to be")
    page.locator("main button.btn--primary").click()
    page.get_by_role("heading", name=re.compile("form")).wait_for()
    walk.look("old form")
    fault = server_error(RequestFactory().get("/")).content
    page.route("**/fault", lambda route: route.fulfill(status=500, body=fault))
    page.goto(f"{walk.url}/fault")
    walk.look("fault of ours")


def test_a_field_that_is_typed_in_moves_no_button(walk: Walk) -> None:
    page = walk.to("/p/demo/runs/new?run=2")
    place = page.get_by_role("button", name="Start run").bounding_box()
    for name, text, said in (("limit", "7", "7 of 60"), ("version", "99", "Choose a dataset")):
        page.fill(f"#new-run [name={name}]", text)
        expect(page.locator("#estimate")).to_contain_text(said)
        assert page.get_by_role("button", name="Start run").bounding_box() == place


def test_a_chosen_theme_is_drawn_by_the_server(walk: Walk) -> None:
    page = walk.to("/p/demo/runs")
    page.get_by_role("button", name="Light or dark").click()
    answer = page.goto(f"{walk.url}/p/demo/datasets/")
    assert answer is not None
    assert '<html lang="en" data-theme="dark">' in answer.text()
    page.context.clear_cookies(name="evalhub_theme")


def test_signing_in(product: Product, furnished: Page, browser: Browser) -> None:
    context = browser.new_context(reduced_motion="reduce")
    context.add_init_script(WATCH)
    walk = Walk(context.new_page(), product.url)
    page = walk.to("/sign-in")
    walk.look("sign in")
    for _ in range(12):
        page.get_by_label("Name").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
        walk.noise.taken()
        if not page.get_by_label("Password").count():
            break
    walk.look("locked")
    context.close()
    assert walk.found == []
