import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.errors import PodiumError
from podium.evaluation.intervals import estimate_proportion
from podium.serving.feedback import LABELS, Feedback, Labelled, Said, score

CLASSES = ("zero", "one", "two")


def draw(seed: int = 0, kind: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, kind)
    return file.getvalue()


def said(label: str, model: str = "digits/1") -> Said:
    return Said(model, label, 0.75, unsure=False)


@pytest.fixture
def feedback(tmp_path: Path) -> Feedback:
    return Feedback(tmp_path, "digits")


def test_an_image_is_kept_as_it_came_with_what_was_said(feedback: Feedback) -> None:
    kept = feedback.keep(draw(), "two", [said("one")], CLASSES)
    assert feedback.read() == [kept]
    assert (kept.label, kept.said) == ("two", (said("one"),))
    assert (feedback.folder / "images" / kept.file).read_bytes() == draw()


def test_the_last_label_of_an_image_counts(feedback: Feedback) -> None:
    for label in ("two", "one"):
        feedback.keep(draw(), label, [said("one")], CLASSES)
    feedback.keep(draw(1, "JPEG"), "one", [said("zero")], CLASSES)
    assert [one.label for one in feedback.read()] == ["one", "one"]
    assert score(feedback.read())["digits/1"].right == 1


def test_a_class_that_there_is_not_is_refused(feedback: Feedback) -> None:
    with pytest.raises(PodiumError, match=r"There is no class '\.\./two'"):
        feedback.keep(draw(), "../two", [said("one")], CLASSES)
    assert not feedback.folder.exists()


@pytest.mark.parametrize("data", [b"", b"<html>", draw()[:60]], ids=["empty", "no image", "cut short"])
def test_what_is_no_image_is_not_kept(feedback: Feedback, data: bytes) -> None:
    with pytest.raises(PodiumError, match="not kept"):
        feedback.keep(data, "two", [said("one")], CLASSES)
    assert not feedback.folder.exists()


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b"])
def test_a_dataset_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(PodiumError, match="cannot be the name"):
        Feedback(tmp_path, name)


def test_no_more_images_are_kept_than_somebody_can_review(feedback: Feedback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("podium.serving.feedback.MAX_WAITING", 2)
    for seed in range(2):
        feedback.keep(draw(seed), "two", [said("one")], CLASSES)
    with pytest.raises(PodiumError, match=r"podium feedback digits"):
        feedback.keep(draw(2), "two", [said("one")], CLASSES)
    feedback.keep(draw(1), "one", [said("one")], CLASSES)  # it is there already
    assert len(feedback.waiting()) == 2


def test_an_accepted_image_is_handed_on_with_its_class_and_a_refused_one_is_not(feedback: Feedback) -> None:
    one, other = (feedback.keep(draw(seed), "two", [said("one")], CLASSES) for seed in range(2))
    taken: list[tuple[str, Path]] = []
    assert feedback.review([one.sha256[:8], one.sha256], taken.extend) == [one]
    assert taken == [("two", feedback.folder / "images" / one.file)]
    assert taken[0][1].read_bytes() == draw(0)
    assert feedback.review([other.sha256]) == [other]
    assert feedback.waiting() == []
    assert feedback.reviewed() == {one.sha256: "accepted", other.sha256: "refused"}
    assert len(taken) == 1


@pytest.mark.parametrize(("digest", "message"), [("", "No image that waits"), ("zz", "podium feedback digits")])
def test_a_review_that_cannot_be_followed_changes_nothing(feedback: Feedback, digest: str, message: str) -> None:
    kept = feedback.keep(draw(), "two", [said("one")], CLASSES)
    with pytest.raises(PodiumError, match=message):
        feedback.review([digest])
    assert feedback.waiting() == [kept]


def test_what_cannot_be_accepted_waits_on(feedback: Feedback) -> None:
    kept = feedback.keep(draw(), "two", [said("one")], CLASSES)

    def refuse(images: list[tuple[str, Path]]) -> None:
        raise PodiumError("the dataset has boxes")

    with pytest.raises(PodiumError, match="boxes"):
        feedback.review([kept.sha256], refuse)
    assert feedback.waiting() == [kept]


def test_a_line_that_a_kill_left_unfinished_is_passed_over_and_a_wrong_one_is_named(feedback: Feedback) -> None:
    kept = feedback.keep(draw(), "two", [said("one")], CLASSES)
    lines = feedback.folder / LABELS
    whole = lines.read_text()
    lines.write_text(whole + '{"sha256": "ab')
    assert feedback.read() == [kept]
    other = feedback.keep(draw(1), "one", [said("one")], CLASSES)
    assert feedback.read() == [kept, other]
    lines.write_text(whole + json.dumps({"label": "two"}) + "\n")
    with pytest.raises(PodiumError, match="line 2"):
        feedback.read()


def test_the_score_of_each_version_has_the_interval_of_evaluation() -> None:
    labelled = [
        Labelled(f"{row}", f"{row}.png", "two", (said("two" if row % 4 else "one"), said("two", "digits/2")), "")
        for row in range(20)
    ]
    scores = score(labelled)
    assert (scores["digits/1"].right, scores["digits/1"].images) == (15, 20)
    assert (scores["digits/2"].right, scores["digits/2"].images) == (20, 20)
    expected = estimate_proportion(np.arange(20) % 4 > 0, np.arange(20))
    assert scores["digits/1"].accuracy == expected
