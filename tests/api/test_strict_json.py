"""What no part of the product can keep is refused at the door, with its place."""

import pytest

from tests.api.client import assert_problem

pytestmark = pytest.mark.db

CORPUS = [
    pytest.param('{"input":\n NaN}', 2, 2, "NaN", id="nan"),
    pytest.param('{"input": -Infinity}', 1, 11, "Infinity", id="infinity"),
    pytest.param('{"input": 1e999}', 1, 11, "too large", id="float too large"),
    pytest.param('{"input": "a\\u0000b"}', 1, 13, "NUL", id="escaped nul"),
    pytest.param('{"input": "a\0b"}', 1, 13, "control character", id="raw nul"),
    pytest.param('{"input": "\\ud800"}', 1, 12, "surrogate", id="half a surrogate pair"),
    pytest.param('{"input": ' + "9" * 401 + "}", 1, 11, "401 digits", id="huge integer"),
    pytest.param('{"input": ' + "[" * 200 + "]" * 200 + "}", 1, 110, "deep", id="depth"),
    pytest.param('{"input": ' + "[" * 200_000, 1, None, "", id="deeper than the stack"),
    pytest.param('{"input": 1,}', 1, 12, "comma", id="comma too many"),
    pytest.param("{'input': 1}", 1, 2, "double quotes", id="single quotes"),
    pytest.param('{"input": 1} 2', 1, 14, "after the end", id="two values"),
    pytest.param('{"input": None}', 1, 11, "null", id="python"),
    pytest.param(b'{"input": "\xff"}', 1, 12, "UTF-8", id="not UTF-8"),
    pytest.param("input=1&x=2", 1, 1, "", id="a form"),
    pytest.param(" ", 1, 1, "no text", id="blank"),
]


@pytest.mark.parametrize(("text", "line", "column", "says"), CORPUS)
def test_what_is_not_strict_json_is_400_with_its_place(api, dataset, text, line, column, says):
    problem = assert_problem(api.post("/datasets/sums/items", raw=text), 400)
    assert problem["line"] == line
    if column is not None:
        assert problem["column"] == column
        assert f"line 1, column {column:,}" in problem["detail"] or line > 1
    assert says in problem["detail"]
    assert problem["detail"].startswith("Request body, line ")
    dataset.refresh_from_db()
    assert dataset.version == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_every_kind_of_body_is_read_strictly(api, dataset, method):
    path = {"POST": "/datasets", "PUT": "/datasets/sums", "PATCH": "/datasets/sums/items/1"}[method]
    assert_problem(api.call(method, path, raw='{"name": NaN, "input": NaN}'), 400)


def test_numbers_come_back_exactly_as_they_were_sent(api, dataset):
    numbers = "[1.0,0.1,1e+22,-0.0,123456789012345678901234567890," + "9" * 400 + "]"
    assert api.post("/datasets/sums/items", raw='{"input": ' + numbers + "}").status_code == 201
    assert f'"input":{numbers}'.encode() in api.get("/datasets/sums/items/4").content


def test_a_body_above_the_cap_is_413(api, dataset, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1024**2
    text = '{"input": "' + "x" * 1024**2 + '"}'
    assert "1 MB" in assert_problem(api.post("/datasets/sums/items", raw=text), 413)["detail"]


@pytest.mark.parametrize("path", ["/datasets/a%00b", "/datasets?q=a%00b", "/runs?q=%00"])
def test_a_nul_in_the_address_is_422(api, path):
    assert_problem(api.get(path), 422)


def test_a_broken_form_is_400(api, dataset):
    answer = api.client.generic(
        "POST",
        "/api/v1/datasets/sums/imports",
        b"rubbish",
        "multipart/form-data",
        headers={"Authorization": f"Bearer {api.secret}"},
    )
    assert_problem(answer, 400)
