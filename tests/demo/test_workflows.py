"""The demo's tickets are well formed, and its workflows differ in the way that it promises."""

import asyncio
import inspect
import json
import re
import time
from collections import Counter
from collections.abc import Callable

import pytest

from evalhub.demo import content, workflows
from evalhub.demo.triage_v1 import triage_v1
from evalhub.demo.triage_v2 import category_v2, is_negated, priority_v2, reply_v2, triage_v2
from evalhub.demo.triage_v3 import triage_v3
from evalhub.kit.plugins import registry

CATEGORIES = {"billing", "account", "technical", "shipping", "feedback"}
PRIORITIES = {"low", "normal", "high", "urgent"}
WORKFLOWS = (
    workflows.ticket_triage_v1,
    workflows.ticket_triage_v2,
    workflows.ticket_triage_v3,
)

Rules = Callable[[str, str], dict[str, str]]


def right(rules: Rules, part: str) -> Counter[str]:
    """How many tickets have `part` as expected, by expected category."""
    counts: Counter[str] = Counter()
    for item in content.tickets():
        output = rules(item["input"]["subject"], item["input"]["body"])
        expected = item["expected_output"]
        counts[expected["category"]] += output[part] == expected[part]
    return counts


def test_there_are_sixty_tickets_with_unique_ids_and_texts():
    items = content.tickets()

    assert [item["external_id"] for item in items] == [f"T-{n:03d}" for n in range(1, 61)]
    assert len({item["input"]["subject"] for item in items}) == 60
    assert len({item["input"]["body"] for item in items}) == 60


def test_every_ticket_has_the_same_shape():
    for item in content.tickets():
        assert set(item) == {"external_id", "input", "expected_output", "metadata"}
        assert set(item["input"]) == {"subject", "body", "channel"}
        assert set(item["expected_output"]) == {"category", "priority", "reply"}
        assert set(item["metadata"]) == {"product_area", "plan", "language"}
        texts = [*item["input"].values(), *item["expected_output"].values()]
        assert all(isinstance(text, str) and text.strip() == text != "" for text in texts)


def test_every_ticket_uses_the_known_words():
    items = content.tickets()

    assert {item["expected_output"]["category"] for item in items} == CATEGORIES
    assert {item["expected_output"]["priority"] for item in items} == PRIORITIES
    assert {item["input"]["channel"] for item in items} == {"email", "chat", "web", "phone"}
    assert {item["metadata"]["plan"] for item in items} == {"free", "plus", "greenhouse"}
    assert {item["metadata"]["language"] for item in items} == {"en", "de", "fr", "es"}


def test_every_category_has_at_least_ten_tickets():
    counts = Counter(item["expected_output"]["category"] for item in content.tickets())

    assert min(counts.values()) >= 10


def test_v2_gets_more_categories_right_than_v1_but_fewer_of_the_shipping_ones():
    v1, v2 = right(triage_v1, "category"), right(triage_v2, "category")

    assert v2.total() >= v1.total() + 12
    assert v2["shipping"] < v1["shipping"]
    assert all(v2[category] > v1[category] for category in CATEGORIES - {"shipping"})


def test_v2_hardly_changes_how_many_priorities_are_right():
    v1, v2 = right(triage_v1, "priority"), right(triage_v2, "priority")

    assert abs(v2.total() - v1.total()) <= 3


def test_v3_sorts_a_few_more_than_v2_and_loses_none():
    v2, v3 = right(triage_v2, "category"), right(triage_v3, "category")

    assert 2 <= v3.total() - v2.total() <= 5
    assert all(v3[category] >= v2[category] for category in CATEGORIES)
    assert right(triage_v3, "priority") == right(triage_v2, "priority")


def test_all_workflows_leave_room_for_a_version_4():
    for rules in (triage_v1, triage_v2, triage_v3):
        assert 30 <= right(rules, "category").total() < 57


def test_an_output_depends_on_the_text_alone():
    for item in content.tickets():
        subject, body = item["input"]["subject"], item["input"]["body"]
        assert triage_v1(subject, body) == triage_v1(subject, body)
        assert triage_v2(subject, body) == triage_v2(subject, body)
        assert triage_v3(subject, body) == triage_v3(subject, body)


@pytest.mark.parametrize("rules", [triage_v1, triage_v2, triage_v3])
def test_a_ticket_outside_the_dataset_is_sorted_too(rules: Rules):
    output = rules("Password", "I need a new password for my account.")

    assert output["category"] == "account"
    assert output["priority"] == "normal"
    assert output["reply"]


@pytest.mark.parametrize("rules", [triage_v1, triage_v2, triage_v3])
def test_an_empty_ticket_still_gets_an_answer(rules: Rules):
    assert rules("", "")["category"] == "technical"


def test_v1_finds_keywords_inside_other_words_and_v2_does_not():
    body = "My membership costs more than the price on the page."

    assert triage_v1("", body)["category"] == "shipping"
    assert triage_v2("", body)["category"] == "billing"


def test_v2_ignores_a_clue_that_is_negated_in_the_same_sentence():
    assert category_v2("", "This is not about my invoice. I forgot my password.") == "account"
    assert is_negated("There is no error", len("There is no "))
    assert not is_negated("It is not blue. An error", len("It is not blue. An "))


def test_v2_counts_a_clue_in_the_subject_twice():
    assert category_v2("", "invoice error crash") == "billing"
    assert category_v2("crash", "invoice discount") == "technical"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("There is smoke", "urgent"),
        ("I am locked out", "high"),
        ("How does this work?", "normal"),
        ("Thank you", "low"),
        ("THIS is new!!", "high"),
    ],
)
def test_v2_sums_the_signals_of_urgency(body: str, expected: str):
    assert priority_v2("", body) == expected


def test_v2_names_the_order_and_the_amount_of_the_ticket_in_its_reply():
    assert "order FW-12345" in reply_v2("shipping", "Late", "Where is FW-12345 now?")
    assert "refund 12.50 EUR" in reply_v2("billing", "Refund", "I paid 12.50 EUR for nothing.")
    assert "refund the amount" in reply_v2("billing", "Refund", "I paid too much.")


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_is_asynchronous_and_returns_the_three_parts(workflow: Callable):
    ticket = {"subject": "Locked out", "body": "I forgot my password.", "channel": "chat"}

    assert inspect.iscoroutinefunction(workflow)
    output = asyncio.run(workflow(ticket))

    assert list(output) == ["category", "priority", "reply"]
    assert output["category"] == "account"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_does_not_need_every_part_of_a_ticket(workflow: Callable):
    assert asyncio.run(workflow({}))["category"] == "technical"
    assert asyncio.run(workflow({"subject": None, "body": "My password"}))["category"] == "account"


def test_a_workflow_takes_40_to_120_ms():
    assert workflows.thinking_seconds("", least=0.04) == 0.04
    assert workflows.thinking_seconds("x" * 100, least=0.04) == pytest.approx(0.06)
    assert workflows.thinking_seconds("x" * 10_000, least=0.04) == 0.12

    started = time.perf_counter()
    asyncio.run(workflows.ticket_triage_v1({"subject": "Hello", "body": "there"}))
    assert time.perf_counter() - started >= 0.04


@pytest.mark.parametrize("scorer", content.SCORERS, ids=lambda scorer: scorer["name"])
def test_each_scorer_finds_its_part_in_every_output(scorer: dict[str, str]):
    parts = {"category": "category", "priority": "priority", "reply similarity": "reply"}
    part = parts[scorer["name"]]
    for item in content.tickets():
        subject, body = item["input"]["subject"], item["input"]["body"]
        outputs = [rules(subject, body) for rules in (triage_v1, triage_v2, triage_v3)]
        for output in (item["expected_output"], *outputs):
            text = json.dumps(output, ensure_ascii=False, separators=(",", ":"))
            found = re.findall(scorer["extract"], text)
            assert json.loads(f'"{found[-1]}"') == output[part]


@pytest.mark.parametrize("demo_target", content.TARGETS, ids=lambda target: target.id)
def test_each_target_is_registered_as_a_workflow_that_only_the_demo_project_sees(
    demo_target: content.DemoTarget,
):
    registered = registry.get(demo_target.id, project="demo")

    assert registered is not None
    assert registered.func in WORKFLOWS
    assert (registered.kind, registered.is_async) == ("workflow", True)
    assert registered.keywords == ()
    assert registry.get(demo_target.id, project="another") is None
