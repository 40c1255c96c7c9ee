"""What an output means for each kind of target."""

from __future__ import annotations

import math
from typing import Any

import pytest

from runs_app.targets.base import TargetFailure
from runs_app.targets.kinds import interpret

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        ("agent", {"status": "failed"}, {"status": "failed"}),
        ("workflow", {"status": "success", "result": 1, "output": 2}, 1),
        ("workflow", {"status": "OK", "output": None}, None),
        ("workflow", {"status": "completed", "x": 1}, {"status": "completed", "x": 1}),
        ("workflow", {"no": "status"}, {"no": "status"}),
        ("workflow", {"status": 3}, {"status": 3}),
        ("workflow", "text", "text"),
        ("processor", MESSAGES, {"blocked": False, "messages": MESSAGES}),
        ("processor", {"messages": MESSAGES}, {"blocked": False, "messages": MESSAGES}),
        ("processor", [], {"blocked": False, "messages": []}),
        ("processor", {"blocked": True, "reason": "rude"}, {"blocked": True, "reason": "rude"}),
        ("processor", {"blocked": True}, {"blocked": True, "reason": ""}),
        ("processor", {"tripwire": True, "tripwireReason": "PII"}, {"blocked": True, "reason": "PII"}),
        ("processor", {"blocked": False, "messages": MESSAGES}, {"blocked": False, "messages": MESSAGES}),
        ("scorer", 0.5, 0.5),
        ("scorer", True, True),
        ("scorer", {"score": 1, "reason": "good"}, 1),
        ("scorer", {"value": 0}, 0),
    ],
)  # fmt: skip
def test_outputs_are_read_by_kind(kind: str, value: Any, meant: Any) -> None:
    assert interpret(kind, value) == meant


@pytest.mark.parametrize(
    ("value", "type", "message"),
    [
        ({"status": "failed", "error": {"message": "Step 2\nbroke"}}, "failed", "“failed”: Step 2 broke"),
        ({"status": "Suspended"}, "suspended", "ended with the status “Suspended”."),
        ({"status": "paused", "reason": "waits for Ann"}, "paused", "“paused”: waits for Ann"),
        ({"status": "tripwire", "tripwire": {"reason": "PII"}}, "tripwire", "“tripwire”: PII"),
        ({"status": "timed out!"}, "timed_out", "“timed out!”"),
        ({"status": ""}, "failed", "“”"),
    ],
)  # fmt: skip
def test_a_workflow_that_does_not_succeed_is_an_error_by_its_status(
    value: Any, type: str, message: str
) -> None:
    with pytest.raises(TargetFailure) as caught:
        interpret("workflow", value)
    assert caught.value.type == type
    assert message in caught.value.message


@pytest.mark.parametrize("value", ["text", None, [1], [{"content": "no role"}], {"blocked": False}])
def test_a_processor_that_gives_no_messages_back_is_an_error(value: Any) -> None:
    with pytest.raises(TargetFailure, match="A processor gives back messages") as caught:
        interpret("processor", value)
    assert caught.value.type == "invalid_output"


@pytest.mark.parametrize(
    "value", ["0.5", None, [], {"score": "1"}, {}, math.nan, math.inf, 10**400]
)
def test_a_scorer_that_gives_no_number_back_is_an_error(value: Any) -> None:
    with pytest.raises(TargetFailure, match="A scorer gives back a number") as caught:
        interpret("scorer", value)
    assert caught.value.type == "invalid_output"
