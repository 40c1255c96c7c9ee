import pytest

from datasets_app.actions import add_items, create_dataset
from datasets_app.items import parse_item
from datasets_app.schemas import DatasetAnswer, VersionAnswer
from evalhub.access.models import AuditEntry
from tests.api.client import assert_described, assert_problem

pytestmark = pytest.mark.db


def test_a_dataset_is_created_empty(api):
    answer = api.post("/datasets", {"name": "Refund requests", "description": "From May"})
    made = answer.json()
    assert answer.status_code == 201
    assert_described(DatasetAnswer, made)
    assert (made["id"], made["name"], made["description"], made["version"], made["item_count"]) == (
        "refund-requests",
        "Refund requests",
        "From May",
        0,
        0,
    )
    entry = AuditEntry.objects.get(action="dataset.created")
    assert entry.actor is not None
    assert entry.actor.username == "editor"


def test_a_dataset_may_choose_its_slug(api):
    assert api.post("/datasets", {"name": "Refunds", "slug": "r-1"}).json()["id"] == "r-1"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": 7}, "/name"),
        ({"name": "x", "colour": "red"}, "/colour"),
        ({"name": "x", "slug": "Not A Slug"}, "/slug"),
        ({"name": "x", "description": None}, "/description"),
        (["name"], ""),
        ("name", ""),
    ],
)
def test_a_bad_dataset_is_422_and_points_at_the_fault(api, body, pointer):
    assert_problem(api.post("/datasets", body), 422, pointer)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (["name"], "A JSON object is needed here."),
        ({"name": 7}, "name: A text is needed here."),
    ],
)
def test_a_wrong_type_is_told_in_the_words_of_json(api, body, detail):
    assert api.post("/datasets", body).json()["detail"] == detail


def test_a_body_that_is_missing_is_422(api):
    assert_problem(api.post("/datasets"), 422, "")


def test_a_slug_that_is_taken_is_409(api, dataset):
    assert_problem(api.post("/datasets", {"name": "Sums"}), 409, "/name")


@pytest.mark.parametrize("slug", ["runs", "compare", "new", "import"])
def test_a_dataset_never_takes_an_address_of_the_api(api, slug):
    made = api.post("/datasets", {"name": slug}).json()
    assert made["id"] == f"{slug}-dataset"
    assert api.get(f"/datasets/{slug}-dataset").json() == made


def test_a_dataset_is_found_by_slug_and_by_uuid(api, dataset):
    by_slug = api.get("/datasets/sums").json()
    assert_described(DatasetAnswer, by_slug)
    assert by_slug["item_count"] == 3
    assert api.get(f"/datasets/{dataset.uuid}").json() == by_slug


@pytest.mark.parametrize("ref", ["nothing", "runs", "0", "%F0%9F%92%A9", "x" * 3000])
def test_an_unknown_dataset_is_404(api, ref):
    assert_problem(api.get(f"/datasets/{ref}"), 404)


def test_an_update_changes_what_is_given(api, dataset):
    assert api.put("/datasets/sums", {"description": "Small ones"}).json()["name"] == "Sums"
    renamed = api.put("/datasets/sums", {"name": "Additions"}).json()
    assert (renamed["id"], renamed["name"], renamed["description"]) == (
        "sums",
        "Additions",
        "Small ones",
    )
    assert api.get("/datasets/sums").json() == renamed


def test_a_deleted_dataset_is_gone(api, dataset):
    answer = api.delete("/datasets/sums")
    assert (answer.status_code, answer.content) == (204, b"")
    assert_problem(api.get("/datasets/sums"), 404)
    assert api.get("/datasets").json()["items"] == []


def test_the_list_has_the_newest_first_with_a_total_unless_filtered(api, project, owner, dataset):
    create_dataset(project=project, name="Refunds", by=owner)
    listed = api.get("/datasets").json()
    assert [row["id"] for row in listed["items"]] == ["refunds", "sums"]
    assert [row["item_count"] for row in listed["items"]] == [0, 3]
    assert (listed["total"], listed["next_cursor"]) == (2, None)
    found = api.get("/datasets?q=sum").json()
    assert [row["id"] for row in found["items"]] == ["sums"]
    assert found["total"] is None


def test_versions_are_listed_with_author_and_counts(api, dataset, editor):
    add_items(dataset=dataset, contents=[parse_item({"input": "x"})], by=editor, message="One more")
    listed = api.get("/datasets/sums/versions").json()
    newest, first = listed["items"]
    assert_described(VersionAnswer, newest)
    assert (newest["number"], newest["author"], newest["message"]) == (2, "editor", "One more")
    assert (newest["added"], newest["item_count"], first["number"]) == (1, 4, 1)
    assert listed["total"] == 2
