"""Charts and plots: well-formed, escaped, without style attributes, and calm about odd data."""

import itertools
import math
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from evalhub.kit import charts, plots, svg

HOSTILE = '"><script>alert(1)</script><svg onload="x" \x00\x0b\ud800 & \'quoted\''
SCALE = plots.forest_scale([(14.1, 20.3), (-4.1, -1.3)], -2)
PROFILE = plots.latency_profile([120.0, 340.0, 2400.0, 5800.0, 9100.0])
POINT = plots.TrendPoint(0.9, 0.88, 0.92, HOSTILE, HOSTILE)

DRAWINGS: dict[str, Callable[[str], str]] = {
    "icon": lambda label: svg.icon("plus", "icon--sm", label),
    "sparkline": lambda label: charts.sparkline([0.7, None, 0.9, math.nan], label),
    "hist": lambda label: charts.hist([1, 0, 4], label, threshold=0.8),
    "meter": lambda label: charts.meter(0.4, label),
    "progress": lambda label: charts.progress([("good", 3), ("live", 1)], 10, label),
    "proportions": lambda label: charts.proportions([("good", 3), ("bad", 1)], 10, label),
    "dots": lambda label: charts.dots([charts.Dot(label, 0.5, 0.4, 0.6)], label),
    "forest_row": lambda label: plots.forest_row(17, 14, 20, SCALE, label, kind="good", margin=-2),
    "latency_strip": lambda label: plots.latency_strip(PROFILE, label, mute=True),
    "trend": lambda label: plots.trend([POINT, POINT], label),
}


def parse(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def rects(markup: str, cls: str) -> list[ElementTree.Element]:
    return [e for e in parse(markup).iter("rect") if cls in (e.get("class") or "").split()]


def texts(markup: str) -> list[str]:
    return [e.text or "" for e in parse(markup).iter("text")]


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_hostile_label_stays_text(name: str) -> None:
    root = parse(DRAWINGS[name](HOSTILE))
    assert {e.tag for e in root.iter()} <= {
        *("svg", "title", "path", "rect", "line", "circle", "text"),
    }
    label = root.get("aria-label") or ""
    assert label.startswith('"><script>alert(1)</script>')
    assert "\x00" not in label
    assert "\ud800" not in label


@pytest.mark.parametrize("name", DRAWINGS)
def test_no_drawing_carries_a_style_or_an_event_attribute(name: str) -> None:
    for element in parse(DRAWINGS[name]("A finding")).iter():
        assert not [a for a in element.attrib if a == "style" or a.startswith("on")]


@pytest.mark.parametrize("name", [name for name in DRAWINGS if name not in ("icon", "progress")])
def test_an_image_names_its_finding_twice(name: str) -> None:
    root = parse(DRAWINGS[name]("91.3% passed"))
    assert root.get("role") == "img"
    assert root.get("aria-label") == "91.3% passed"
    assert root.findtext("title") == "91.3% passed"


@pytest.mark.parametrize(
    "markup",
    [
        charts.sparkline([], "x"),
        charts.sparkline([None, math.nan], "x"),
        charts.ticks([]),
        charts.dots([], "x"),
        plots.latency_strip(None, "x"),
        plots.trend([], "x"),
    ],
)
def test_no_data_draws_nothing(markup: str) -> None:
    assert markup == ""


def test_frames_without_data_are_still_well_formed() -> None:
    for markup in (
        charts.hist([], "x"),
        charts.hist([0, 0, 0], "x", threshold=0.5),
        charts.hist2(0, 0),
        charts.meter(math.nan, "x"),
        charts.progress([("good", 0)], 0, "x"),
        charts.barspan(0, 0),
        plots.forest_row(None, None, None, SCALE, "x"),
        plots.forest_axis(plots.forest_scale([])),
    ):
        parse(markup)


def test_one_value_is_a_dot_without_a_line() -> None:
    root = parse(charts.sparkline([0.8], "x"))
    assert len(list(root.iter("circle"))) == 1
    assert not list(root.iter("path"))


def test_noise_below_five_points_looks_flat() -> None:
    path = next(parse(charts.sparkline([0.800, 0.801, 0.800], "x")).iter("path")).get("d") or ""
    heights = [float(y) for _x, y in re.findall(r"([\d.]+),([\d.]+)", path)]
    assert max(heights) - min(heights) < 1


def test_equal_values_do_not_divide_by_zero() -> None:
    parse(charts.sparkline([0, 0, 0], "x", least=0))
    parse(charts.dots([charts.Dot("a", 1, 1, 1), charts.Dot("b", 1, 1, 1)], "x"))
    parse(plots.trend([plots.TrendPoint(0, 0, 0, "a", "b")] * 3, "x"))
    parse(plots.latency_strip(plots.latency_profile([0.0, 0.0]), "x"))


def test_bins_below_the_threshold_are_marked_and_the_bin_at_it_is_not() -> None:
    markup = charts.hist([1] * 10, "x", threshold=0.8)
    assert len(rects(markup, "c-bar--low")) == 8
    assert len(rects(markup, "c-bar")) == 10


def test_bins_above_the_threshold_are_marked_when_lower_is_better() -> None:
    assert (
        len(rects(charts.hist([1] * 10, "x", threshold=0.8, higher_is_better=False), "c-bar--low"))
        == 2
    )


def test_values_outside_the_range_count_in_the_end_bins() -> None:
    assert charts.bin_counts([-5, 0, 0.1, 0.3, 0.99, 1, 9, math.inf]) == (
        2,
        1,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        3,
    )


def test_a_two_valued_scorer_writes_its_counts_out() -> None:
    assert texts(charts.hist2(1200, 114)) == ["Pass", "1,200", "Fail", "114"]
    assert len(rects(charts.hist2(5, 0), "f-bad")) == 1
    assert rects(charts.hist2(5, 0), "f-bad")[0].get("width") == "0"


def test_ticks_say_how_many_of_the_known_runs_passed() -> None:
    root = parse(charts.ticks([True, False, None]))
    assert root.get("aria-label") == "1 of 2 recent runs passed"
    assert [r.get("class") for r in root.iter("rect")] == ["f-good", "f-bad", "f-mute"]
    assert parse(charts.ticks([None])).get("aria-label") == "No recent result"


def test_work_in_flight_is_drawn_but_does_not_count_as_done() -> None:
    root = parse(charts.progress([("good", 30), ("live", 20)], 100, "x"))
    assert root.get("aria-valuenow") == "30"
    assert [r.get("width") for r in root.iter("rect")] == ["1000", "300", "200"]


def test_a_bar_never_grows_past_its_track() -> None:
    widths = [
        float(r.get("width") or 0)
        for r in rects(charts.progress([("good", 9), ("bad", 9)], 10, "x"), "f-good")
    ]
    widths += [
        float(r.get("width") or 0)
        for r in rects(charts.progress([("good", 9), ("bad", 9)], 10, "x"), "f-bad")
    ]
    assert sum(widths) == 1000


def test_an_unknown_fill_is_muted_and_cannot_inject_a_class() -> None:
    markup = charts.progress([('"><script>', 1)], 2, "x")
    assert "script" not in markup
    assert len(rects(markup, "f-mute")) == 1


def test_a_short_span_can_still_be_seen_and_stays_inside() -> None:
    bar = rects(charts.barspan(1.0, 0.0), "f-b")[0]
    assert bar.get("width") == "6"
    assert float(bar.get("x") or 0) + 6 <= 1000


def test_the_forest_domain_holds_zero_the_margin_and_every_interval() -> None:
    scale = plots.forest_scale([(14.1, 20.3), (None, None)], -2)
    assert scale.low < -2
    assert scale.high > 20.3
    assert 0 in scale.ticks
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)


def test_forest_marks_differ_in_shape_not_only_in_colour() -> None:
    better = plots.forest_row(3, 1, 5, SCALE, "x", kind="good")
    worse = plots.forest_row(-3, -4, -1, SCALE, "x", kind="bad")
    neither = plots.forest_row(1, -1, 3, SCALE, "x")
    assert "h9l-4.5-8z" in better
    assert "h9l-4.5 8z" in worse
    assert len(list(parse(neither).iter("circle"))) == 1


def test_the_forest_axis_signs_its_numbers() -> None:
    assert texts(plots.forest_axis(SCALE)) == ["−5", "0", "+5", "+10", "+15", "+20"]


def test_the_latency_profile_counts_real_latencies_on_a_square_root_axis() -> None:
    profile = plots.latency_profile([0.0, 25.0, 100.0, None, math.nan], bins=2)
    assert profile is not None
    # Half of a square-root axis is a quarter of the time: 25 of 100 ms opens the second bin.
    assert profile.counts == (1, 2)
    assert (profile.max_ms, profile.p50) == (100.0, 25.0)


def test_percentiles_that_the_page_shows_are_the_ones_marked() -> None:
    profile = plots.latency_profile([1.0, 2.0, 3.0], percentiles=(1.5, 2.5, 2.9))
    assert profile is not None
    assert (profile.p50, profile.p95, profile.p99) == (1.5, 2.5, 2.9)


def test_the_axis_of_latencies_below_a_millisecond_has_numbers() -> None:
    markup = plots.latency_strip(plots.latency_profile([0.002, 0.004, 0.03]), "x")
    assert ">0.02 ms<" in markup


def test_percentile_labels_keep_apart_when_all_latencies_are_equal() -> None:
    markup = plots.latency_strip(plots.latency_profile([5.0] * 9), "x")
    places = [float(e.get("x") or 0) for e in parse(markup).iter("text") if e.get("class") == "em"]
    assert len(places) == 3
    assert all(b - a >= 25 for a, b in itertools.pairwise(places))
    assert max(places) <= 280


def test_two_runs_share_an_axis_when_given_one() -> None:
    short = plots.latency_profile([100.0] * 5)
    alone = [float(r.get("x") or 0) for r in rects(plots.latency_strip(short, "x"), "c-bar")]
    shared = plots.latency_strip(short, "x", axis_max_ms=400.0)
    assert max(float(r.get("x") or 0) for r in rects(shared, "c-bar")) == pytest.approx(
        max(alone) / 2, abs=1
    )


def test_a_new_dataset_version_breaks_the_trend_line_and_opens_its_circle() -> None:
    points = [
        plots.TrendPoint(v, v - 0.02, v + 0.02, f"Run {i}", str(i), new_version=i == 2)
        for i, v in enumerate((0.7, 0.72, 0.8, 0.81))
    ]
    root = parse(plots.trend(points, "x"))
    lines = [e for e in root.iter("path") if e.get("class") == "c-line"]
    opened = [e for e in root.iter("circle") if "c-dot--open" in (e.get("class") or "")]
    assert (len(lines), len(opened)) == (2, 1)
    assert "81%" in texts(plots.trend(points, "x"))


def test_a_point_of_a_trend_leads_to_its_run_and_says_its_figure() -> None:
    points = [
        plots.TrendPoint(v, None, None, f"Run {i} <b>", str(i), href=f"/runs/{i}?a=1&b=2")
        for i, v in enumerate((820.0, 5800.0))
    ]
    drawn = plots.trend(points, "x", unit="ms")
    root = parse(drawn)
    links = list(root.iter("a"))
    assert [e.get("href") for e in links] == ["/runs/0?a=1&b=2", "/runs/1?a=1&b=2"]
    assert links[0].get("aria-label") == "Run 0 <b>: 820 ms"
    assert root.get("role") == "group"
    assert "c-band" not in drawn
    assert "5.8 s" in texts(drawn)
    assert parse(plots.trend([POINT], "x")).get("role") == "img"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0, 1.0, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (-4.0, 21.0, (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0, 25.0)),
        (5.0, 5.0, (5.0, 6.0)),
    ],
)
def test_ticks_of_an_axis_are_round_and_cover_it(
    low: float, high: float, expected: tuple[float, ...]
) -> None:
    assert svg.nice_ticks(low, high) == expected


def test_tick_labels_use_a_true_minus_sign_and_no_needless_zeros() -> None:
    assert [svg.tick_label(v, signed=True) for v in (-2.50, 0.0, 5.0)] == ["−2.5", "0", "+5"]


def test_an_unknown_icon_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        svg.icon("no-such-icon")
