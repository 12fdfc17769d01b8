import math
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from podium.pages.charts import Axis, Chart, draw_interval, percent, round_ticks


def points(path: str) -> list[list[float]]:
    return [[float(value) for value in point.split()] for point in path.strip("MZ").replace("M", "L").split("L")]


def find(chart: Chart, kind: str) -> Any:
    root = fromstring(chart.draw("what is to be seen"))
    return next(each for each in root.iter() if kind in each.get("class", "").split())


def test_a_line_goes_through_its_points_from_the_bottom_up() -> None:
    chart = Chart(Axis(0, 10), Axis(0, 1), 100, 50)
    chart.line([0, 5, 10], [0, 1, 0.5], "test")
    assert points(find(chart, "line").get("d", "")) == [[0, 50], [50, 0], [100, 25]]


def test_a_line_breaks_where_a_value_is_unknown_and_ends_at_the_edge() -> None:
    chart = Chart(Axis(0, 3), Axis(0, 1), 30, 10)
    chart.line([0, 1, 2, 3], [0, math.nan, 5, -5], "test")
    assert find(chart, "line").get("d") == "M0.0 10.0M20.0 0.0L30.0 10.0"


def test_equal_factors_take_equal_room_on_a_logarithmic_axis() -> None:
    axis = Axis(1, 100, logarithmic=True)
    assert [axis.place(value) for value in (1, 10, 100)] == pytest.approx([0, 0.5, 1])


def test_an_interval_stands_where_its_numbers_are() -> None:
    root = fromstring(draw_interval(0.75, 0.6, 0.8, Axis(0.5, 1)))
    whisker = next(each for each in root if "whisker" in each.get("class", ""))
    dot = next(each for each in root if "dot" in each.get("class", ""))
    assert whisker.get("d") == "M20.0 6H60.0"
    assert dot.get("cx") == "50.0"
    assert not [each for each in fromstring(draw_interval(0.7, None, None, Axis(0, 1))) if each.get("d") == "M"]


def test_texts_of_strangers_stay_texts() -> None:
    chart = Chart(Axis(0, 1, "<script>", [0.5], lambda _: "a & \u202eb"), Axis(0, 1, "</svg>"), 100, 50)
    chart.rule(0.5, "<img src=x>")
    drawn = chart.draw('" onload="alert(1)')
    root = fromstring(drawn)
    assert root.get("aria-label") == '" onload="alert(1)'
    assert not {"script", "img"} & {each.tag for each in root.iter()}
    assert "\u202e" not in drawn


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0.55, 1, [0.6, 0.7, 0.8, 0.9, 1]), (1, 20, [5, 10, 15, 20]), (3, 3, [3])],
)
def test_ticks_are_round_and_few(low: float, high: float, ticks: list[float]) -> None:
    assert round_ticks(low, high) == pytest.approx(ticks)


def test_percent_has_no_digits_that_say_nothing() -> None:
    assert [percent(share) for share in (0, 0.5, 0.985, 1)] == ["0%", "50%", "98.5%", "100%"]
