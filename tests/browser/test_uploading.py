"""An upload that takes its time, and a file that is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.product import Product

pytestmark = pytest.mark.browser
IMPORT = "/p/demo/datasets/support-tickets/import"
BYTES_A_SECOND = 200_000


def test_a_long_upload_says_how_far_it_is(product: Product, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "sums.csv"
    file.write_text("question,answer\n" + "1 + 1,2\n" * 40_000)
    page.goto(product.url + IMPORT)
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 0,
            "downloadThroughput": -1,
            "uploadThroughput": BYTES_A_SECOND,
        },
    )
    page.locator("input[type=file]").set_input_files(file)
    bar = page.get_by_role("progressbar", name="Upload")
    expect(bar).to_be_hidden()
    page.get_by_role("button", name="Continue to columns").click()
    expect(page.locator("[data-upload-text]")).to_have_text(
        re.compile(r"Sending: \d+%, \d+\.\d kB of 32\d\.\d kB")
    )
    expect(bar).to_be_visible()
    expect(page.get_by_role("button", name="Continue to columns")).to_be_disabled()
    page.wait_for_url("**/map")
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()


def test_a_file_that_is_refused_is_told_beside_the_field(
    product: Product, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "picture.csv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    page.goto(product.url + IMPORT)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Continue to columns").click()
    expect(page.locator(".dropzone .field__error")).to_contain_text("an image (PNG)")
    expect(page.get_by_role("button", name="Continue to columns")).to_be_enabled()
