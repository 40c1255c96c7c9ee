import pytest

from datasets_app.actions import update_item
from datasets_app.items import parse_item
from datasets_app.schemas import AddedAnswer, HistoryAnswer, ItemAnswer
from tests.api.client import assert_described, assert_problem

pytestmark = pytest.mark.db

ITEMS = "/datasets/sums/items"


def test_items_are_listed_in_number_order(api, dataset):
    listed = api.get(ITEMS).json()
    assert [item["number"] for item in listed["items"]] == [1, 2, 3]
    assert listed["total"] == 3
    for item in listed["items"]:
        assert_described(ItemAnswer, item)


def test_an_absent_expected_output_is_left_out_and_null_is_null(api, dataset):
    api.post(ITEMS, {"input": "x", "expected_output": None})
    assert "expected_output" not in api.get(f"{ITEMS}/3").json()
    assert api.get(f"{ITEMS}/4").json()["expected_output"] is None


def test_items_are_searched(api, dataset):
    found = api.get(f"{ITEMS}?q=question").json()
    assert [item["number"] for item in found["items"]] == [2]
    assert found["total"] is None


def test_one_item_is_added_with_all_its_fields(api, dataset):
    item = {
        "input": {"b": 1, "a": [1.0, 12345678901234567890123, "ü"]},
        "expected_output": {"answer": 4},
        "metadata": {"topic": "sum"},
        "context": {"locale": "en"},
        "tags": ["new"],
        "split": "test",
        "external_id": "q-9",
        "source": "notebook",
    }
    answer = api.post(ITEMS, item)
    assert_described(AddedAnswer, answer.json())
    assert (answer.status_code, answer.json()) == (201, {"numbers": [4], "version": 2})
    read = api.get(f"{ITEMS}/4")
    assert {name: read.json()[name] for name in item} == item
    assert b'{"b":1,"a":[1.0,12345678901234567890123,"\xc3\xbc"]}' in read.content


def test_many_items_are_one_version(api, dataset):
    body = {"items": [{"input": i} for i in range(5)], "message": "Five"}
    assert api.post(ITEMS, body).json() == {"numbers": [4, 5, 6, 7, 8], "version": 2}
    assert api.get("/datasets/sums/versions").json()["items"][0]["message"] == "Five"


def test_every_bad_item_of_a_batch_is_named_and_none_is_added(api, dataset):
    items = [{"input": "good"}, {"output": "x"}, "text", {"input": 1, "tags": "a"}]
    pointers = ["/items/1/output", "/items/1/input", "/items/2", "/items/3/tags"]
    problem = assert_problem(api.post(ITEMS, {"items": items}), 422, *pointers)
    assert "Nothing was added" in problem["detail"]
    assert api.get(ITEMS).json()["total"] == 3


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/input"]),
        ({"input": 1, "colour": "red"}, ["/colour"]),
        ({"input": 1, "metadata": []}, ["/metadata"]),
        ({"items": []}, ["/items"]),
        ({"items": {"input": 1}}, ["/items"]),
        ({"items": [{"input": 1}], "input": 1}, ["/input"]),
        ({"items": [{"input": 1}], "message": 5}, ["/message"]),
        ([{"input": 1}], [""]),
    ],
)
def test_a_bad_body_is_422_and_points_at_the_fault(api, dataset, body, pointers):
    assert_problem(api.post(ITEMS, body), 422, *pointers)


def test_the_same_external_id_with_the_same_content_keeps_its_item(api, dataset):
    same = {
        "input": {"question": "2 + 2"},
        "expected_output": {"answer": 4},
        "external_id": "q-2",
    }
    assert api.post(ITEMS, same).json() == {"numbers": [2], "version": 1}


def test_an_external_id_with_other_content_is_409_and_lists_every_offender(api, dataset):
    other = {"input": "other", "external_id": "q-2"}
    one = assert_problem(api.post(ITEMS, other), 409, "/external_id")
    assert one["detail"].startswith("An external id is taken by an item with other content.")
    batch = {"items": [{"input": "new"}, other]}
    assert_problem(api.post(ITEMS, batch), 409, "/items/1/external_id")
    assert api.get(ITEMS).json()["total"] == 3


def test_an_old_version_reads_as_it_was(api, dataset):
    api.patch(f"{ITEMS}/1", {"input": "1 + 2"})
    api.delete(f"{ITEMS}/2")
    assert [item["number"] for item in api.get(ITEMS).json()["items"]] == [1, 3]
    old = api.get(f"{ITEMS}?version=1").json()
    assert old["items"][0]["input"] == "1 + 1"
    assert old["total"] == 3
    assert api.get(f"{ITEMS}/2?version=1").json()["external_id"] == "q-2"


@pytest.mark.parametrize(
    "path", ["?version=9", "?version=-1", "/9", "/1?version=7", "/99999999999"]
)
def test_an_unknown_version_or_item_is_404(api, dataset, path):
    assert_problem(api.get(ITEMS + path), 404)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "version=x", "q=%00"])
def test_a_bad_query_is_422(api, dataset, query):
    assert api.get(f"{ITEMS}?{query}").status_code == 422


def test_a_cursor_of_somebody_elses_making_is_422(api, dataset):
    for cursor in ("abc", "%FF", "a" * 101, "a2FiYw"):
        assert api.get(f"{ITEMS}?cursor={cursor}").status_code == 422


def test_a_change_keeps_what_it_does_not_name(api, dataset):
    scored = {"input": "x", "scorers": ["contains"], "tags": ["a"], "context": {"k": 1}}
    assert api.post(ITEMS, scored).json()["numbers"] == [4]
    changed = api.patch(f"{ITEMS}/4", {"expected_output": None, "message": "No answer"}).json()
    assert_described(ItemAnswer, changed)
    assert (changed["input"], changed["tags"], changed["context"]) == ("x", ["a"], {"k": 1})
    assert changed["expected_output"] is None
    row = dataset.revisions.get(number=4, version_to=None)
    assert row.scorers_json == '["contains"]'
    assert api.get("/datasets/sums/versions").json()["items"][0]["message"] == "No answer"


def test_fields_are_removed_by_name(api, dataset):
    changed = api.patch(f"{ITEMS}/1", {"remove": ["expected_output", "metadata"]}).json()
    assert "expected_output" not in changed
    assert changed["metadata"] == {}
    assert changed["input"] == "1 + 1"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"colour": 1}, "/colour"),
        ({"remove": ["input"]}, "/remove/0"),
        ({"remove": ["tags", "number"]}, "/remove/1"),
        ({"remove": "tags"}, "/remove"),
        ({"remove": [["tags"]]}, "/remove/0"),
        ({"remove": ["tags"], "tags": []}, "/remove/0"),
        ({"revision": "1"}, "/revision"),
        ({"revision": True}, "/revision"),
        ({"message": 1}, "/message"),
        ({"external_id": ""}, "/external_id"),
    ],
)
def test_a_change_that_cannot_be_is_422(api, dataset, body, pointer):
    assert_problem(api.patch(f"{ITEMS}/1", body), 422, pointer)
    dataset.refresh_from_db()
    assert dataset.version == 1


def test_the_same_content_again_makes_no_version(api, dataset):
    item = api.get(f"{ITEMS}/1").json()
    assert api.patch(f"{ITEMS}/1", {"input": "1 + 1"}).json() == item
    assert api.get("/datasets/sums").json()["version"] == 1


def test_a_change_of_an_old_revision_is_409_and_shows_the_item_as_it_is(api, dataset, owner):
    stale = api.get(f"{ITEMS}/1").json()["revision"]
    other = parse_item({"input": "by somebody else"})
    now = update_item(dataset=dataset, number=1, revision=stale, content=other, by=owner)
    problem = assert_problem(api.patch(f"{ITEMS}/1", {"input": "mine", "revision": stale}), 409)
    assert problem["current"] == now.pk
    assert problem["item"]["input"] == "by somebody else"
    taken = api.patch(f"{ITEMS}/1", {"input": "mine", "revision": now.pk})
    assert taken.json()["input"] == "mine"


def test_a_change_to_an_external_id_that_is_taken_is_409(api, dataset):
    assert_problem(api.patch(f"{ITEMS}/1", {"external_id": "q-2"}), 409, "/external_id")


def test_an_item_is_deleted_once_and_only_at_the_revision_given(api, dataset):
    assert_problem(api.delete(f"{ITEMS}/1?revision=999999"), 409)
    revision = api.get(f"{ITEMS}/1").json()["revision"]
    assert api.delete(f"{ITEMS}/1?revision={revision}").status_code == 204
    assert_problem(api.delete(f"{ITEMS}/1"), 404)
    assert_problem(api.patch(f"{ITEMS}/1", {"input": 1}), 404)


def test_the_history_has_every_revision_newest_first(api, dataset):
    api.patch(f"{ITEMS}/1", {"input": "1 + 2"})
    api.delete(f"{ITEMS}/1")
    listed = api.get(f"{ITEMS}/1/history").json()
    for entry in listed["items"]:
        assert_described(HistoryAnswer, entry)
    assert [
        (entry["version"]["number"], entry["item"]["input"], entry["deleted"])
        for entry in listed["items"]
    ] == [(3, "1 + 2", True), (2, "1 + 2", False), (1, "1 + 1", False)]
    assert_problem(api.get(f"{ITEMS}/9/history"), 404)


def test_items_cannot_change_while_an_import_writes(api, dataset):
    dataset.pending_version = 2
    dataset.save()
    assert_problem(api.post(ITEMS, {"input": "x"}), 409)
    assert_problem(api.patch(f"{ITEMS}/1", {"input": "x"}), 409)
    assert_problem(api.delete(f"{ITEMS}/1"), 409)
