"""Slugs made of names."""

from __future__ import annotations

import pytest

from evalhub.kit.slugs import MAX_SLUG, free_slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My Target", "my-target"),
        ("模型", "target"),
        ("New", "new-target"),
        ("a b", "a-b-3"),
        ("x" * 100, f"{'x' * 70}-2"),
    ],
)
def test_a_slug_is_neither_taken_nor_reserved(name: str, slug: str) -> None:
    taken = {"a-b", "a-b-2", "x" * 80}
    made = free_slug(name, "target", taken=taken, reserved={"new"})
    assert made == slug
    assert len(made) <= MAX_SLUG
