"""Plain replacement, and nothing but."""

from __future__ import annotations

import json
from typing import Any

import pytest

from evalhub.kit.errors import Invalid
from runs_app.targets import templates
from runs_app.targets.json_bodies import JsonTemplate
from runs_app.targets.templates import Fields, Template, TemplateError, check
from tests.runs_app.targets.calls import item

ITEM = item(
    {"question": "Why?", "tags": ["a", {"deep": None}], "n": 1.5, "a.b": "dotted", "quo": '"\n'},
    metadata={"topic": "sum"},
    context={"user": {"id": 3}},
    external_id="q-7",
)


def render(text: str) -> str:
    return Template(text).render(Fields(ITEM))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Q: {{ input.question }}", "Q: Why?"),
        ("{{input.question}}{{  input.n  }}", "Why?1.5"),
        ("{{ input.tags.0 }}/{{ input.tags.1 }}", 'a/{"deep":null}'),
        ("{{ input.tags.1.deep }}", "null"),
        (r"{{ input.a\.b }}", "dotted"),
        ("{{ metadata }} {{ context.user.id }}", '{"topic":"sum"} 3'),
        ("{{ item.number }} {{ item.external_id }}", "7 q-7"),
    ],
)
def test_paths_are_replaced_by_texts_and_compact_json(text: str, filled: str) -> None:
    assert render(text) == filled


@pytest.mark.parametrize(
    "text",
    [
        "{{ 9999*9999 }}",
        "{{ (1).__class__ }}",
        "{input.__class__}",
        "{0.__class__.__mro__}",
        "${input} %(input)s <% input %> {% for x in y %}",
        "{{",
        "}} {{ }} {{{{}}}}",
        "{{ 'x' * 9 }}",
        '{"a": {"b": {}}}',
        "{{[].append}}",
    ],
)
def test_what_is_no_placeholder_is_literal_text(text: str) -> None:
    assert render(text) == text


def test_attributes_of_values_are_out_of_reach() -> None:
    with pytest.raises(TemplateError, match="the input has no “__class__”"):
        render("{{ input.__class__ }}")
    with pytest.raises(TemplateError, match=r"input\.question is a text, no object"):
        render("{{ input.question.upper }}")


def test_a_value_that_looks_like_a_template_is_not_filled_again() -> None:
    fields = Fields(item("{{ metadata.secret }}", {"secret": "s"}))
    assert Template("<{{ input }}>").render(fields) == "<{{ metadata.secret }}>"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{{ input.nope }}",
            "The template names {{ input.nope }}, but the input has no “nope”. "
            "It has: question, tags, n, a.b, quo.",
        ),
        (
            "{{ input.tags.9 }}",
            "The template names {{ input.tags.9 }}, but input.tags is a list of 2 elements: there "
            "is no “9” in it. Indexes count from 0.",
        ),
        (
            "{{ metadata.a.b }}",
            "The template names {{ metadata.a.b }}, but the metadata has no “a”. It has: topic.",
        ),
    ],
)
def test_a_missing_field_is_named_beside_those_that_are_there(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text)
    assert (caught.value.type, caught.value.message) == ("template", message)
    assert not caught.value.transient


def test_a_context_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(TemplateError, match="the item has no context and the run neither"):
        Template("{{ context.user }}").render(Fields(item()))


def test_a_result_beyond_the_limit_is_refused_before_it_is_built() -> None:
    fields = Fields(item("x" * 1_000_000))
    with pytest.raises(TemplateError, match="at most 4,000,000 are sent"):
        Template("{{ input }}" * 5).render(fields)
    with pytest.raises(TemplateError, match="at most 4,000,000 are sent"):
        JsonTemplate(["{{ input }}"] * 5).render(fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\nb {{ question }}", "Line 2, column 3: {{ question }} names nothing"),
        ("{{ input|upper }}", "there are no expressions or filters"),
        ("{{ input..a }}", "a part of it is empty"),
        ("{{ item.input }}", "is unknown"),
        ("{{ key }}", "names nothing"),
    ],
)
def test_a_form_refuses_what_no_item_can_fill(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(text, pointer="/config/user")
    assert message in caught.value.detail
    assert caught.value.errors[0].pointer == "/config/user"


def test_the_key_is_known_where_it_is_allowed() -> None:
    template = Template("Key {{ key }}", (*templates.ROOTS, "key"))
    assert template.render(Fields(ITEM, "secret")) == "Key secret"


@pytest.mark.parametrize(
    ("body", "filled"),
    [
        ("{{ input.n }}", 1.5),
        ("{{ input.tags }}", ["a", {"deep": None}]),
        ({"x": ["{{ input.quo }}", " {{ input.quo }}"]}, {"x": ['"\n', ' "\n']}),
        ({"n": "n={{ input.n }}", "t": True, "f": 1.0, "e": {}, "l": []},
         {"n": "n=1.5", "t": True, "f": 1.0, "e": {}, "l": []}),
        ({"{{ input }}": "names stay"}, {"{{ input }}": "names stay"}),
        ({"a": {"b": [None, "é", "{{ metadata.topic }}"]}}, {"a": {"b": [None, "é", "sum"]}}),
    ],
)  # fmt: skip
def test_texts_of_a_json_body_are_filled_and_whole_placeholders_keep_their_type(
    body: Any, filled: Any
) -> None:
    assert json.loads(JsonTemplate(body).render(Fields(ITEM))) == filled


def test_big_integers_go_through_a_json_body_unchanged() -> None:
    fields = Fields(item(2**70))
    assert JsonTemplate({"n": "{{ input }}"}).render(fields) == f'{{"n":{2**70}}}'


def test_a_json_body_says_where_its_unknown_name_is() -> None:
    with pytest.raises(Invalid) as caught:
        JsonTemplate({"a/b": ["", "{{ nope }}"]}, pointer="/config/body")
    assert caught.value.errors[0].pointer == "/config/body/a~1b/1"
