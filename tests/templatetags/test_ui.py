"""The template library: what tags and filters render, and that no value becomes markup."""

from datetime import timedelta

import pytest
from django import forms
from django.template import Context, Engine
from django.utils import timezone

ENGINE = Engine(libraries={"ui": "evalhub.templatetags.ui"}, builtins=["evalhub.templatetags.ui"])
HOSTILE = '"><script>alert(1)</script>'


def render(source: str, **context: object) -> str:
    return ENGINE.from_string(source).render(Context(context))


@pytest.mark.parametrize(
    "source",
    [
        "{% icon 'plus' x x %}",
        "{% badge x 'clock' x %}",
        "{% score_mark 'pass' x %}",
        "{% flat x %}",
        "{% run_key x %}",
        "{% sparkline values x %}",
        "{% ci low high x %}",
        "{{ x|pretty_json }}",
        "{{ x|one_line }}",
        "{{ x|initials }}",
    ],
)
def test_no_text_becomes_markup(source: str) -> None:
    assert "<script" not in render(source, x=HOSTILE, values=[0.1, 0.2], low=0.1, high=0.2)


def test_a_run_status_has_an_icon_and_the_word() -> None:
    assert ">Completed</span>" in render("{% run_status 'completed' %}")
    assert "badge--warn" in render("{% run_status 'running' paused=True %}")
    assert "Completed" in render("{% run_status 'completed' paused=True %}")
    assert 'class="status status--running"' in render("{% run_status 'running' small=True %}")


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(True, "Pass"), (False, "Fail"), (None, "Not scored"), ("error", "Error"), ("pass", "Pass")],
)
def test_a_missing_score_is_not_a_fail(outcome: object, word: str) -> None:
    assert f">{word}</span>" in render("{% score_mark outcome %}", outcome=outcome)


def test_a_delta_tells_direction_and_meaning_apart() -> None:
    slower = render("{% delta ms 'duration' higher_is_better=False %}", ms=1_200)
    assert "delta--bad" in slower
    assert "+1.2 s" in slower
    assert "(worse)" in slower
    better = render("{% delta change %}", change=0.172)
    assert "delta--good" in better
    assert "+17.2 pts" in better
    assert "(better)" in better
    assert "−2.7 points" in render("{% delta change 'points' %}", change=-0.027)


@pytest.mark.parametrize(("change", "certain"), [(0.021, False), (0.0, True), (0.00001, True)])
def test_no_clear_change_has_no_colour(change: float, certain: bool) -> None:
    markup = render("{% delta change certain=certain %}", change=change, certain=certain)
    assert "delta--" not in markup


def test_a_missing_change_is_a_dash() -> None:
    assert render("{% delta change %}", change=None) == "–"


def test_an_interval_is_left_out_when_there_is_none() -> None:
    assert render("{% ci low high %}", low=None, high=0.9) == ""
    assert "95% CI 89.6 to 92.7" in render("{% ci low high %}", low=0.896, high=0.927)
    assert ">−4.1 to −1.3<" in render(
        "{% ci low high 'points' word=False %}", low=-0.041, high=-0.013
    )


def test_a_moment_keeps_its_exact_time() -> None:
    when = timezone.now() - timedelta(days=2)
    markup = render("{{ when|ago }}", when=when)
    assert f'datetime="{when.isoformat()}"' in markup
    assert ">2 days ago</time>" in markup
    assert render("{{ when|ago }}{{ when|moment }}", when=None) == "––"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "1 s"), (0.47, "1 s"), (2.1, "2 s"), (125.2, "2 min 5 s")]
)
def test_an_estimate_is_in_whole_seconds_and_never_none(seconds: float, text: str) -> None:
    assert render("{{ x|time_left }}", x=seconds) == text


def test_a_change_too_small_to_measure_is_none() -> None:
    assert "0 ms" in render("{% delta x 'duration' %}", x=0.004)
    assert "+0.40 ms" in render("{% delta x 'duration' %}", x=0.4)


def test_item_numbers_have_four_digits_or_more() -> None:
    assert render("{{ a|number_label }} {{ b|number_label }}", a=3, b=12_345) == "0003 12345"


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/p/a/runs", True), ("/p/a/runs/12", True), ("/p/a/runs-old", False), ("/p/a", False)],
)
def test_a_section_is_current_on_its_pages_only(path: str, expected: bool) -> None:
    assert render("{{ path|under:'/p/a/runs' }}", path=path) == str(expected)


def test_charts_take_the_arguments_of_their_functions() -> None:
    assert "c-thr" in render("{% hist counts 'x' threshold=0.8 %}", counts=[1, 2])
    assert 'aria-valuenow="5"' in render("{% progress 10 'x' good=2 bad=3 live=1 %}")
    assert "progress--thin" in render("{% proportions 10 'x' good=2 %}")


class Card(forms.Form):
    name = forms.CharField(help_text="Shown in lists.")
    schema = forms.CharField(widget=forms.Textarea(attrs={"class": "textarea--code"}))
    pinned = forms.BooleanField(required=False)


def test_a_control_is_tied_to_its_help_and_its_error() -> None:
    form = Card({"schema": "{}"})
    markup = render("{% control form.name hx_get='/x' %}", form=form)
    assert 'aria-describedby="id_name_error id_name_help"' in markup
    assert 'aria-invalid="true"' in markup
    assert 'class="input"' in markup
    assert 'hx-get="/x"' in markup
    assert 'class="textarea--code textarea"' in render("{% control form.schema %}", form=form)
    assert 'class="input"' not in render("{% control form.pinned %}", form=form)


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/items/3/input/question", "3: input, question"),
        ("/items/12/metadata/a~1b", "12: metadata, a/b"),
        ("/items/3", "3: "),
        ("/schema/input", "None: /schema/input"),
    ],
)
def test_a_pointer_into_an_item_is_its_number_and_the_names_below(pointer: str, text: str) -> None:
    source = "{% with place=x|item_place %}{{ place.0 }}: {{ place.1 }}{% endwith %}"
    assert render(source, x=pointer) == text
