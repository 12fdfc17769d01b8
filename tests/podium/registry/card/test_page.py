import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from podium.config import Gate
from podium.registry.card import write_card
from podium.registry.decision import Pairs
from podium.registry.kept import KeptDecision
from tests.pages import Page
from tests.podium.evaluation.card.cards import HOSTILE
from tests.podium.registry.card import decisions

PAIRS = decisions.make_pairs()
OF_BOXES = decisions.with_boxes(PAIRS)
KEPT: dict[str, tuple[KeptDecision, Pairs | None]] = {
    "promoted": (decisions.promoted(PAIRS), PAIRS),
    "with a margin": (decisions.promoted(PAIRS, rules=Gate(margin=0.005)), PAIRS),
    "harmed": (decisions.harmed(PAIRS), PAIRS),
    "undecided": (decisions.undecided(PAIRS), PAIRS),
    "below a floor": (decisions.below_floor(PAIRS), PAIRS),
    "first": (decisions.first(), None),
    "incomparable": (decisions.incomparable(), None),
    "of boxes": (decisions.undecided(OF_BOXES, rules=Gate(metric="joint_accuracy")), OF_BOXES),
    "overlaps": (decisions.undecided(OF_BOXES, rules=Gate(metric="mean_iou")), OF_BOXES),
    "losses": (decisions.promoted(PAIRS, rules=Gate(metric="loss")), PAIRS),
    "no image counts": (decisions.incomparable(), decisions.take(PAIRS, 0)),
    "one image": (decisions.undecided(decisions.take(PAIRS, 1)), decisions.take(PAIRS, 1)),
}


def write(folder: Path, kept: KeptDecision, pairs: Pairs | None, name: str = "index.html", **how: Any) -> str:
    write_card(folder, kept, pairs, lambda ids: decisions.make_images(ids, **how))
    return (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("kept", "pairs"), KEPT.values(), ids=KEPT.keys())
def test_the_page_is_well_formed_and_needs_nothing_else(
    kept: KeptDecision, pairs: Pairs | None, tmp_path: Path
) -> None:
    text = write(tmp_path, kept, pairs)
    page = Page(text)
    anchors = [link[1:] for tag, link in page.links if tag == "a" and link.startswith("#")]
    assert sorted(page.ids) == sorted(set(page.ids))
    assert set(anchors) <= set(page.ids)
    assert all(link.startswith("data:") for tag, link in page.links if tag != "a")
    assert {link for tag, link in page.links if tag == "a" and not link.startswith("#")} <= {"disagreements.html"}
    assert not {"script", "iframe", "object", "form"} & page.tags
    assert page.events == []
    assert not {"None", "nan", "inf"} & {*page.text.split()}
    assert (tmp_path / "disagreements.html").exists() == (kept.decision.ground == "too_few_images")


@pytest.mark.parametrize("name", ["undecided", "overlaps", "first"])
def test_the_same_decision_gives_the_same_bytes(name: str, tmp_path: Path) -> None:
    write(tmp_path, *KEPT[name])
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    write(tmp_path, *KEPT[name])
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_the_page_holds_verdict_reason_figures_and_recalls(tmp_path: Path) -> None:
    kept = decisions.promoted(PAIRS)
    text = Page(write(tmp_path, kept, PAIRS)).text
    test = kept.decision.test
    assert test is not None
    assert kept.decision.reason in text
    assert f"accuracy {test.champion:.4f} " in text
    assert f"b = {test.gained}, c = {test.lost}" in text
    for place, name in enumerate(PAIRS.classes):
        own = PAIRS.labels == place
        found = [(some.predicted[own] == place).mean() for some in (PAIRS.champion, PAIRS.challenger)]
        assert f"{name} {own.sum()} {found[0]:.4f} {found[1]:.4f}" in text


def test_of_many_classes_the_ten_that_differ_most_are_shown(tmp_path: Path) -> None:
    pairs = decisions.make_pairs(3000, tuple(f"class {place:03d}" for place in range(200)))
    text = write(tmp_path, decisions.promoted(pairs), pairs)
    assert "the 10 of 200 that differ most" in text
    assert len(re.findall(r'<circle class="ring"', text)) == 10


def test_images_on_which_they_disagree_stand_with_what_each_says(tmp_path: Path) -> None:
    text = write(tmp_path, decisions.promoted(PAIRS), PAIRS)
    figures = re.findall(r"<figure.*?</figure>", text, re.DOTALL)
    assert len(figures) == 48
    gained = (PAIRS.champion.predicted != PAIRS.labels) & (PAIRS.challenger.predicted == PAIRS.labels)
    assert f"The challenger alone is right: {gained.sum()} images" in text
    rows = np.flatnonzero(gained)
    first = rows[np.argmax(PAIRS.champion.losses[rows] - PAIRS.challenger.losses[rows])]
    assert str(PAIRS.ids[first]) in figures[0]
    assert PAIRS.classes[PAIRS.champion.predicted[first]] in figures[0]


def test_the_gain_is_to_the_right_also_where_lower_is_better(tmp_path: Path) -> None:
    dots = []
    for metric, difference in (("accuracy", 0.03), ("loss", -0.03)):
        test = decisions.make_test(PAIRS, metric=metric, difference=difference, low=None, high=None)
        kept = decisions.promoted(PAIRS, rules=Gate(metric=metric))  # type: ignore[arg-type]
        text = write(tmp_path, replace(kept, decision=replace(kept.decision, test=test)), PAIRS)
        dots += re.findall(r'<circle class="dot validation" cx="([\d.]+)" cy="61"', text)
    assert dots[0] == dots[1]
    assert float(dots[0]) > 160


def test_the_contact_sheet_grows_with_the_images_and_holds_no_more_than_it_may(tmp_path: Path) -> None:
    sizes = []
    for pairs in (replace(PAIRS, challenger=PAIRS.champion), decisions.take(PAIRS, 60), PAIRS):
        write(tmp_path, decisions.promoted(PAIRS), pairs)
        with Image.open(tmp_path / "differing.png") as sheet:
            sizes.append(sheet.size)
    assert sizes[0][1] < sizes[1][1] < sizes[2][1] < 1200
    assert sizes[2][0] < 850


def test_images_are_asked_for_a_few_at_a_time(tmp_path: Path) -> None:
    asked: list[int] = []

    def give(ids: NDArray[np.str_]) -> list[NDArray[np.uint8]]:
        asked.append(len(ids))
        return decisions.make_images(ids)

    pairs = decisions.make_pairs(3000)
    write_card(tmp_path, decisions.undecided(pairs), pairs, give)
    assert max(asked) <= 32
    assert sum(asked) > 200


def test_the_page_for_labels_asks_blindly_those_first_that_decide(tmp_path: Path) -> None:
    text = write(tmp_path, decisions.undecided(PAIRS), PAIRS, "disagreements.html")
    page = Page(text)
    cases = re.findall(r"<fieldset.*?</fieldset>", text, re.DOTALL)
    assert len(cases) == PAIRS.differ.sum()
    counts = (PAIRS.champion.predicted == PAIRS.labels) != (PAIRS.challenger.predicted == PAIRS.labels)
    ids = {str(id_) for id_ in PAIRS.ids[counts]}
    for case in cases[: counts.sum()]:
        before, after = case.split("<details>")
        assert any(id_ in after for id_ in ids)
        assert "champion" not in before
        assert "champion" in after
    assert "checked" not in "".join(cases)
    assert "about 1,300 images more are missing" in page.text


def test_the_page_for_labels_runs_its_own_script_and_no_other(tmp_path: Path) -> None:
    text = write(tmp_path, decisions.undecided(PAIRS), PAIRS, "disagreements.html")
    page = Page(text)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    digest = b64encode(sha256(scripts[0].encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}';" in text
    assert page.events == []
    assert all(link.startswith("data:") for tag, link in page.links if tag != "a")


def test_lines_for_the_review_file_are_as_it_reads_them(tmp_path: Path) -> None:
    ids = PAIRS.ids.astype("U40")
    row = int(np.flatnonzero(PAIRS.differ)[0])
    ids[row] = 'a, "b".png'
    text = write(tmp_path, decisions.undecided(PAIRS), replace(PAIRS, ids=ids), "disagreements.html")
    line = f"digits,&#34;a, &#34;&#34;b&#34;&#34;.png&#34;,{PAIRS.digests[row]},leave_out,"
    assert f'data-line="{line}" data-label="{PAIRS.classes[PAIRS.labels[row]]}"' in text


def test_an_image_whose_id_cannot_be_copied_gets_no_line(tmp_path: Path) -> None:
    ids = PAIRS.ids.astype("U40")
    ids[int(np.flatnonzero(PAIRS.differ)[0])] = "a\u202egnp.exe"
    text = write(tmp_path, decisions.undecided(PAIRS), replace(PAIRS, ids=ids), "disagreements.html")
    assert text.count("<fieldset>") == 1
    assert "\u202e" not in text


@pytest.mark.parametrize("name", ["index.html", "disagreements.html"])
def test_what_strangers_wrote_is_shown_as_text(name: str, tmp_path: Path) -> None:
    pairs = decisions.make_pairs(classes=HOSTILE)
    pairs = replace(pairs, ids=np.array([f"{HOSTILE[place % 6]}{place}" for place in range(len(pairs))]))
    kept = decisions.undecided(pairs, left_out=dict.fromkeys(HOSTILE, 3))
    kept = replace(kept, decision=replace(kept.decision, reason=" ".join(HOSTILE)), who=HOSTILE[3])
    text = write(tmp_path, kept, pairs, name)
    page = Page(text)
    assert text.count("<script>") == (name != "index.html")
    assert not {"b", "iframe"} & (page.tags if name != "index.html" else set())
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text
    assert all(link.startswith("data:") for tag, link in page.links if tag != "a")


def test_a_hundred_thousand_images_of_ten_thousand_classes_stay_light(tmp_path: Path) -> None:
    pairs = decisions.make_pairs(100_000, tuple(f"class {place}" for place in range(10_000)))
    write(tmp_path, decisions.undecided(pairs), pairs, side=96, channels=3)
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes["index.html"] < 2_000_000
    assert sizes["disagreements.html"] < 2_000_000
    assert sizes["card.md"] < 20_000
    assert "more images on which they disagree" in (tmp_path / "disagreements.html").read_text()
