"""Every template keeps the strict policy: no inline style, no inline script, nothing to eval."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FORBIDDEN = {
    "a style attribute": r"\sstyle\s*=",
    "a style element": r"<style\b",
    "an inline script": r"<script(?![^>]*\bsrc=)",
    "an event attribute": r"\son[a-z]+\s*=\s*[\"']",
    "hx-on": r"\bhx-on\b",
    "JavaScript in hx-vals": r"hx-(?:vals|headers)=[\"']js:",
    "a javascript: address": r"javascript:",
    "an address of another site": r"(?:src|href|action)=[\"'](?:https?:)?//",
    "an unescaped value": r"\|\s*safe\b|{%\s*autoescape off",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_template_holds_nothing_that_the_policy_blocks(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert {what for what, pattern in FORBIDDEN.items() if re.search(pattern, source)} == set()


def test_there_are_templates_to_check() -> None:
    assert len(TEMPLATES) > 15
