import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from podium.evaluation.card.page import write_card
from podium.evaluation.card.reading import Card, load_report
from tests.pages import Page
from tests.podium.evaluation.card.cards import HOSTILE, make_card

SHAPES: dict[str, dict[str, Any]] = {
    "three classes": {},
    "boxes": {"boxes": True, "channels": 3},
    "one class": {"classes": 1, "images": 20},
    "two images": {"images": 2, "curve": False, "cost": False, "seeds": 1},
    "many classes": {"classes": 120, "images": 360},
    "nothing wrong": {"images": 30, "accuracy": 1.0, "classes": 1},
}


def write(card: Card, folder: Path) -> str:
    write_card(card, folder / "index.html")
    return (folder / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("how", SHAPES.values(), ids=SHAPES.keys())
def test_the_page_is_well_formed_needs_nothing_else_and_is_light(how: dict[str, Any], tmp_path: Path) -> None:
    text = write(make_card(tmp_path, **how), tmp_path)
    page = Page(text)
    anchors = [link[1:] for tag, link in page.links if tag == "a" and link.startswith("#")]
    assert sorted(page.ids) == sorted(set(page.ids))
    assert set(anchors) <= set(page.ids)
    assert len(anchors) > 20
    fetched = [link for tag, link in page.links if tag != "a"]
    assert all(link.startswith("data:") for link in fetched)
    assert not {"script", "iframe", "object", "form"} & page.tags
    assert page.events == []
    assert "default-src 'none'" in text
    assert len(text) < 600_000
    assert "None" not in page.text.split()
    assert "nan" not in page.text.lower().split()


def test_the_page_holds_the_numbers_of_its_files(tmp_path: Path) -> None:
    card = make_card(tmp_path)
    text = Page(write(card, tmp_path)).text
    facts = json.loads((tmp_path / "evaluation.json").read_text())
    accuracy = facts["metrics"]["test"]["accuracy"]
    assert f"{accuracy['value'] * 100:.1f}% of test images named right {accuracy['low'] * 100:.1f}% to" in text
    for split in ("validation", "test", "test_clean"):
        for name in ("accuracy", "macro_f1", "loss"):
            assert f"{facts['metrics'][split][name]['value']:.3f}" in text
    comparison = pd.read_csv(tmp_path / "comparison.csv")
    for row in comparison.itertuples():
        assert f"{row.value:.3f}" in text
    assert all(verdict in text for verdict in comparison["verdict"].dropna())
    assert text.count("a difference of 9.0 points, and 1 < 2.") == 2
    assert text.count("What this test set can show") == 2
    for row in pd.read_csv(tmp_path / "per_class.csv").itertuples():
        assert f"{row.recall:.3f}" in text
        assert f"{row.precision:.3f}" in text
    wrong = int((~card.predictions.right).sum())
    assert f"{wrong} test images are named wrong" in text
    for words in ("temperature of 1.340", "below 0.810", "folder (all images lie in one)", "7 min 11 s", "123,456"):
        assert words in text
    lines = (tmp_path / "suspects.csv").read_text().splitlines()[1:]
    assert all(line in text for line in lines)
    assert card.digest in text
    assert "podium compare made-cnn OTHER" in text


def test_the_surest_errors_stand_with_heat_maps_and_neighbours(tmp_path: Path) -> None:
    card = make_card(tmp_path)
    text = write(card, tmp_path)
    errors = json.loads((tmp_path / "failures.json").read_text())["errors"]
    assert text.count('class="failure card"') == len(errors)
    for error in errors:
        assert f"{error['confidence'] * 100:.1f}% sure" in text or error["confidence"] == 1
    cards = text.split('class="failure card"')[1:]
    assert cards[0].count("<img") == 6
    images = re.findall(r'src="data:image/webp;base64,([^"]+)"', cards[0])
    assert len(set(images)) == 6


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    for name in ("failures.json", "slices.csv", "reliability.csv", "coverage.csv", "suspects.csv", "heat_maps.npz"):
        make_card(tmp_path)
        (tmp_path / name).unlink()
        card = replace(make_card(tmp_path / "other"), report=load_report(tmp_path))
        Page(write(card, tmp_path))
    card = make_card(tmp_path / "two", images=2, curve=False, cost=False, seeds=1)
    text = Page(write(card, tmp_path)).text
    assert "Not measured. More than a head is trained." in text
    assert "It was trained once" in text
    assert re.search(r"training – .*parameters – ", text)
    facts = {**card.report.facts, "power": None, "calibration": None, "clean": None}
    facts["metrics"] = {
        split: {name: {**one, "low": None, "high": None} for name, one in metrics.items()}
        for split, metrics in facts["metrics"].items()
        if split != "test_clean"
    }
    text = Page(write(replace(card, report=replace(card.report, facts=facts)), tmp_path)).text
    assert "It is not known what this test set can show" in text
    assert "There are too few images to say" in text


def test_what_strangers_wrote_is_shown_as_text(tmp_path: Path) -> None:
    text = write(make_card(tmp_path, classes=HOSTILE), tmp_path)
    page = Page(text)
    assert "script" not in page.tags
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text
    assert "x" * 260 not in text
    assert all(link.startswith("data:") for tag, link in page.links if tag != "a")
    assert "https://example.org/x.png" not in [link for _, link in page.links]


def test_an_address_is_a_link_only_if_it_is_one(tmp_path: Path) -> None:
    make_card(tmp_path)
    table = pd.read_csv(tmp_path / "comparison.csv")
    table["source"] = ["", "javascript:alert(1)", "https://example.org/paper"]
    table.to_csv(tmp_path / "comparison.csv", index=False)
    card = replace(make_card(tmp_path / "other"), report=load_report(tmp_path))
    links = [link for tag, link in Page(write(card, tmp_path)).links if tag == "a" and not link.startswith("#")]
    assert links == ["https://example.org/paper"]


def test_the_same_card_gives_the_same_bytes(tmp_path: Path) -> None:
    card = make_card(tmp_path)
    assert write(card, tmp_path) == write(card, tmp_path)


def test_a_class_without_test_images_is_said_and_comes_last(tmp_path: Path) -> None:
    text = write(make_card(tmp_path, classes=12, images=9), tmp_path)
    rows = text.split('id="classes"')[1].split("</table>")[0].split("<tr>")
    assert "no test image is of this class" in rows[-1]
    assert "3 without test images" in Page(text).text


def test_twenty_four_classes_and_seven_thousand_images_stay_light(tmp_path: Path) -> None:
    text = write(make_card(tmp_path, classes=24, images=7172, side=28), tmp_path)
    assert len(text) < 1_000_000


def test_ten_thousand_classes_stay_usable(tmp_path: Path) -> None:
    card = make_card(tmp_path, classes=10_000, images=300)
    began = time.process_time()
    text = write(card, tmp_path)
    assert time.process_time() - began < 30
    assert len(text) < 800_000
    page = Page(text)
    assert "and 9,940 more classes, in per_class.csv" in page.text
    assert re.search(r"Of 10,000 classes this shows \d+, with \d+ of \d+ errors", page.text)


@pytest.mark.parametrize("damage", ["", "[1]", '{"metrics": '])
def test_a_report_that_is_none_is_refused(damage: str, tmp_path: Path) -> None:
    from podium.errors import PodiumError

    with pytest.raises(PodiumError, match="not evaluated"):
        load_report(tmp_path)
    (tmp_path / "evaluation.json").write_text(damage)
    with pytest.raises(PodiumError, match=r"evaluation\.json is not what `evaluate` writes"):
        load_report(tmp_path)


def test_names_that_look_like_missing_values_stay_names(tmp_path: Path) -> None:
    card = make_card(tmp_path, classes=("NA", "007", "1e3"))
    assert card.report.tables["per_class"]["class"].tolist() == ["NA", "007", "1e3"]
    assert np.isfinite(card.report.tables["per_class"]["recall"]).all()
