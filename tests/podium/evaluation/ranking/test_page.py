from pathlib import Path

import numpy as np
import pytest

from podium.evaluation.ranking import Entrant, Facts, Sheet, page_path, rank, write_page

IMAGES = 300


def make_sheet(accuracies: dict[str, float], metric: str = "accuracy", sign: int = 1) -> Sheet:
    generator = np.random.default_rng(0)
    entrants = [
        Entrant(name, sign * generator.permutation(np.arange(IMAGES) < value * IMAGES)[np.newaxis].astype(np.float64))
        for name, value in accuracies.items()
    ]
    ranking = rank(entrants, np.arange(IMAGES))
    facts = {name: Facts("digits-cnn", {"dropout": name.split()[-1]}, {"parameters": 1210}) for name in accuracies}
    return Sheet("digits", metric, ranking, facts, view="http://127.0.0.1:5000/#/x?a=1&b=2", compared="http://y")


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ({"a 0.1": 0.95, "a 0.2": 0.6}, "a 0.1 is best: the other one is shown to be worse."),
        ({"a 0.1": 0.95, "a 0.2": 0.6, "a 0.3": 0.5}, "a 0.1 is best: all 2 others are shown to be worse."),
        ({"a 0.1": 0.9}, "a 0.1 is alone: there is nothing to rank."),
    ],
)
def test_the_verdict_comes_first(accuracies: dict[str, float], said: str) -> None:
    assert make_sheet(accuracies).describe()[0] == said


def test_what_cannot_be_told_apart_is_counted() -> None:
    said = make_sheet({"a 0.1": 0.9, "a 0.2": 0.89, "a 0.3": 0.4}).describe()
    assert said[0].startswith("a 0.1 leads: it is the best with a chance of ")
    assert said[1] == "2 of 3 cannot be told apart from the best."
    assert said[2] == "By accuracy on 300 validation images, one seed each."


def test_the_page_has_every_row_and_its_links(tmp_path: Path) -> None:
    path = tmp_path / page_path("digits", ["digits-cnn"], "0a1b2c3d")
    write_page(make_sheet({"a 0.1": 0.9, "a 0.2": 0.89, "a 0.3": 0.4}), path)
    text = path.read_text()
    assert text.count("<bdi>digits-cnn</bdi>") == 3
    assert text.count('class="out"') == 1
    assert text.count('<svg class="chart"') == 1  # over the three values of dropout
    assert "0.9000" in text
    assert "test split has no say" in text
    assert 'href="http://127.0.0.1:5000/#/x?a=1&amp;b=2"' in text


def test_a_loss_is_shown_as_a_loss_the_lowest_first(tmp_path: Path) -> None:
    sheet = make_sheet({"a 0.1": 0.9, "a 0.2": 0.2}, "loss", -1)
    assert sheet.ranking.standings[0].name == "a 0.2"
    shown = sheet.shown(sheet.ranking.standings[0].estimate)
    assert shown.value == pytest.approx(0.2)
    assert shown.low is not None
    assert shown.high is not None
    assert shown.low < 0.2 < shown.high
    write_page(sheet, tmp_path / "page.html")
    assert "log loss ↓" in (tmp_path / "page.html").read_text()


def test_names_of_strangers_stay_text(tmp_path: Path) -> None:
    sheet = make_sheet({"<b>": 0.9, "b": 0.5})
    write_page(sheet, tmp_path / "page.html")
    assert "<b>" not in (tmp_path / "page.html").read_text().partition("<body>")[2].replace("<bdi>", "")
