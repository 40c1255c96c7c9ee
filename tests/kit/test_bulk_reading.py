"""Numbers of many rows at once, as each database gives them."""

from __future__ import annotations

import numpy as np
import pytest

from evalhub.access.models import Project
from evalhub.kit.bulk_reading import read_numbers

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def test_a_row_of_the_table_is_a_row_of_the_query(project: Project) -> None:
    for number in range(2, 2_002):
        Project.objects.create(
            slug=f"p-{number}", name=f"P {number}", next_run_number=2**31 - number
        )
    rows = Project.objects.order_by("-pk").values_list("next_run_number", "pk")

    table = read_numbers(rows, 2)

    assert table.shape == (2_001, 2)
    assert table.dtype == np.float64
    assert table.tolist() == [[float(a), float(b)] for a, b in rows]


def test_no_row_is_an_empty_table(project: Project) -> None:
    rows = Project.objects.filter(slug="nobody's").values_list("pk", "next_run_number", "pk")

    assert read_numbers(rows, 3).shape == (0, 3)


def test_parameters_reach_the_query(project: Project) -> None:
    Project.objects.create(slug="it's 100 %s", name="Odd")

    rows = Project.objects.filter(slug="it's 100 %s").values_list("pk")

    assert read_numbers(rows, 1)[:, 0].tolist() == [float(rows[0][0])]
