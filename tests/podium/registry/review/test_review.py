"""A review: what it compares, what the gate says of it, and what a pull request shows."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from markdown_it import MarkdownIt
from PIL import Image

from podium.config import load_params
from podium.registry.review import Side, describe_review, draw_images, review
from tests.makers import REPOSITORY
from tests.reports import make_report

CANDIDATES = ("digits-dense", "digits-cnn")


def make_side(
    root: Path, name: str, accuracy: float, candidates: Sequence[str] = CANDIDATES, *, trained_on: str = "f" * 64
) -> Side:
    """Make a revision whose candidates are evaluated; the last has the accuracy, the others a lower one."""
    params = load_params(REPOSITORY / "params.yaml")
    side = Side(name, root, replace(params, candidates={one: params.candidates[one] for one in candidates}))
    processed = root / "data/processed/digits"
    processed.mkdir(parents=True)
    pd.DataFrame({"sha256": [trained_on], "split": ["train"]}).to_csv(processed / "split.csv", index=False)
    for candidate in candidates:
        make_report(side.reports(candidate), accuracy=accuracy if candidate == candidates[-1] else accuracy - 0.2)
    return side


def test_a_better_branch_would_be_promoted_and_shows_how_far_it_is_better(tmp_path: Path) -> None:
    base, head = make_side(tmp_path / "base", "main", 0.6), make_side(tmp_path / "head", "this branch", 0.98)
    found = review("digits", base, head)
    assert found
    assert found.best == "digits-cnn"
    assert found.decision
    assert found.decision.verdict == "promote"
    text = describe_review(found, "https://example.invalid/digits.png")
    assert text.startswith("## digits: ✅ would be promoted\n")
    assert "digits-cnn (this branch) is better than digits-cnn (main)" in text
    for candidate in CANDIDATES:
        interval = r"\d\.\d{4} \(\d\.\d{3} to \d\.\d{3}\)"
        assert re.search(rf"\| {candidate} \| validation accuracy \| {interval} \| {interval} \| \+", text)
    assert "6 of the validation images on which the two best differ" in text
    assert "![The images, and what both say](<https://example.invalid/digits.png>)" in text
    assert draw_images(found, tmp_path / "digits.png") == 6
    with Image.open(tmp_path / "digits.png") as image:
        assert image.format == "PNG"


def test_a_worse_branch_would_not(tmp_path: Path) -> None:
    found = review("digits", make_side(tmp_path / "base", "main", 0.95), make_side(tmp_path / "head", "here", 0.5))
    assert found
    assert found.decision
    assert found.decision.verdict == "keep"
    assert "➖ would not be promoted" in describe_review(found)
    assert "![" not in describe_review(found)


def test_what_predicts_the_same_is_as_before(tmp_path: Path) -> None:
    base = make_side(tmp_path / "base", "main", 0.9)
    shutil.copytree(tmp_path / "base", tmp_path / "head")
    found = review("digits", base, replace(base, name="here", root=tmp_path / "head"))
    assert found
    assert found.decision is None
    text = describe_review(found)
    assert "nothing changes" in text
    assert "As before: digits-dense, digits-cnn." in text
    assert draw_images(found, tmp_path / "none.png") == 0
    assert not (tmp_path / "none.png").exists()


def test_candidates_that_come_and_go_are_named(tmp_path: Path) -> None:
    base, head = (
        make_side(tmp_path / "base", "main", 0.9, CANDIDATES[:1]),
        make_side(tmp_path / "head", "here", 0.95, CANDIDATES[1:]),
    )
    found = review("digits", base, head)
    assert found
    text = describe_review(found)
    assert "New: digits-cnn." in text
    assert "Gone: digits-dense." in text


def test_without_a_base_the_gate_sees_a_first_challenge(tmp_path: Path) -> None:
    found = review("digits", None, make_side(tmp_path / "head", "here", 0.9))
    assert found
    text = describe_review(found)
    assert "if there were no champion" in text
    assert "is the first champion" in text


def test_images_that_the_base_was_trained_on_have_no_say(tmp_path: Path) -> None:
    base = make_side(tmp_path / "base", "main", 0.6, trained_on=f"1{0:063x}")  # the first validation image
    found = review("digits", base, make_side(tmp_path / "head", "here", 0.9))
    assert found
    assert found.pairs
    assert f"1{0:063x}" not in found.pairs.digests


def test_other_classes_cannot_be_compared_and_the_review_says_so(tmp_path: Path) -> None:
    base, head = make_side(tmp_path / "base", "main", 0.9), make_side(tmp_path / "head", "here", 0.9)
    make_report(head.reports("digits-cnn"), classes=("a|b", "<img src=x>", "@all [x](y)"), accuracy=0.99)
    found = review("digits", base, head)
    assert found
    assert found.decision
    assert found.decision.ground == "incomparable"
    text = describe_review(found)
    assert "digits-cnn cannot be compared" in text
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert not kinds & {"html_inline", "link_open", "image"}


def test_a_dataset_without_results_has_no_review(tmp_path: Path) -> None:
    side = make_side(tmp_path / "head", "here", 0.9)
    shutil.rmtree(tmp_path / "head/reports")
    assert review("digits", None, side) is None


def test_a_base_that_keeps_no_split_manifest_cannot_be_compared(tmp_path: Path) -> None:
    base, head = make_side(tmp_path / "base", "main", 0.6), make_side(tmp_path / "head", "here", 0.9)
    (tmp_path / "base/data/processed/digits/split.csv").unlink()
    found = review("digits", base, head)
    assert found
    assert found.decision
    assert found.decision.ground == "incomparable"
