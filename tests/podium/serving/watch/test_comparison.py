"""Requests like those that a champion was accepted on, and others."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from podium.serving.watch.accepted import Accepted
from podium.serving.watch.comparison import SIZES, Watched, compare_requests, count_needed
from podium.serving.watch.page import describe, to_json, write_report
from tests.pages import Page

CLASSES = ("left", "right", "both")


def draw(count: int, seed: int, *, darker: float = 0.0, only: str = "") -> pd.DataFrame:
    """Draw requests; also what the accepted images are, as far as the columns go."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "when": np.arange(count) + 1.75e9,
            "model": "dots/3",
            "refused": False,
            "label": only or random.choice(CLASSES, count),
            "probability": random.beta(8, 2, count),
            "unsure": False,
            "width": 32.0,
            "height": 32.0,
            "brightness": random.normal(120 - darker, 20, count),
            "contrast": random.normal(50, 5, count),
            "sharpness": random.lognormal(5, 1, count),
            "image": "",
        }
    )


def accept(count: int = 700) -> Accepted:
    table = draw(count, 0)
    return Accepted(
        "dots/3",
        frozenset({"dots/3"}),
        CLASSES,
        table[["label", "probability"]],
        table[["brightness", "contrast", "sharpness", "width", "height"]],
    )


def look(requests: pd.DataFrame, limit: float = 0.1) -> Watched:
    return compare_requests(accept(), requests, limit)


def test_requests_from_the_same_source_are_as_accepted() -> None:
    verdicts = [look(draw(200, seed)).verdict for seed in range(1, 41)]
    assert verdicts == ["as accepted"] * 40


@pytest.mark.parametrize(
    ("requests", "measure"),
    [(draw(150, 1, darker=20), "brightness"), (draw(150, 1, only="both"), "answers")],
    ids=["darker", "one class"],
)
def test_what_moved_is_named_with_the_least_that_it_moved(requests: pd.DataFrame, measure: str) -> None:
    watched = look(requests)
    assert watched.verdict == "moved"
    assert [one.change.measure for one in watched.beyond] == [measure]
    (one,) = watched.beyond
    assert 0.1 < one.low < one.change.moved < one.high <= 1
    assert f"Moved for certain: {measure} by {one.change.moved:.0%}; the limit is 10%." in watched.text


def test_the_interval_holds_how_far_the_sources_are_apart() -> None:
    from scipy.stats import norm

    true = 2 * norm.cdf(10 / 20 / 2) - 1  # two normal distributions, half a deviation apart
    held = 0
    for seed in range(1, 61):
        moved = {one.change.measure: one for one in look(draw(150, seed, darker=10)).moved}["brightness"]
        held += moved.low <= true <= moved.high
    assert held >= 58


def test_sizes_are_shown_and_are_no_reason() -> None:
    watched = look(draw(150, 1).assign(width=640.0, height=480.0))
    assert watched.verdict == "as accepted"
    shown = {one.change.measure: one.change.moved for one in watched.moved if not one.counts}
    assert shown == dict.fromkeys(SIZES, 1.0)


def test_too_few_requests_are_said_to_be_too_few() -> None:
    needed = count_needed(700)
    assert look(draw(needed - 1, 1, darker=100)).verdict == "too few"
    assert look(draw(needed, 1, darker=100)).verdict == "moved"
    assert look(draw(0, 1)).text.startswith("0 requests of dots/3: too few to tell. About 74 are enough")
    assert compare_requests(accept(20), draw(5000, 1)).verdict == "too few"


def test_refused_requests_are_counted_and_not_compared() -> None:
    requests = draw(160, 1)
    requests.loc[:9, ["refused", "label", "probability", "brightness"]] = [True, None, None, None]
    watched = look(requests)
    assert (len(watched.served), watched.refused, watched.verdict) == (150, 10, "as accepted")


def test_the_report_says_the_same_on_its_page_in_markdown_and_in_figures(tmp_path: Path) -> None:
    requests = draw(150, 1, darker=20)
    file = io.BytesIO()
    Image.new("L", (8, 8), 90).save(file, "PNG")
    (tmp_path / "0.png").write_bytes(file.getvalue())
    requests.loc[3, "image"] = str(tmp_path / "0.png")
    requests.loc[4, "image"] = str(tmp_path / "gone.png")
    watched = look(requests)
    write_report(watched, tmp_path / "index.html", dropped=7)
    page = Page((tmp_path / "index.html").read_text())
    assert "Not like what it was accepted on" in page.text
    assert (tmp_path / "index.html").read_text().count("<td>beyond the limit</td>") == 1
    assert (tmp_path / "index.html").read_text().count("<img") == 1
    text = describe(watched)
    assert text.startswith("## ⚠️ dots/3: moved")
    assert "| brightness | 1" in text
    figures = to_json(watched)
    assert (figures["verdict"], figures["requests"], len(figures["measures"])) == ("moved", 150, 7)
    for few in (draw(3, 1), draw(0, 1)):
        write_report(look(few), tmp_path / "few.html")
        assert "Too few requests to tell" in (tmp_path / "few.html").read_text()
