import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from podium.datasets.arrays import open_split
from podium.errors import PodiumError
from podium.serving.app.about import About, Result
from podium.serving.app.desk import Desk
from podium.serving.app.drawing import LONGEST, as_address, draw_box, draw_heat, read_shown
from podium.serving.app.examples import MOST
from podium.serving.app.shelf import Model, Registered, Shelf
from podium.serving.feedback import Feedback
from podium.serving.finding import Facts, Found
from podium.serving.watch.requests import read_requests
from podium.serving.wording import sure
from podium.tracking.request_log import RequestLog
from tests.makers import make_arrays
from tests.podium.serving.app.stand_ins import StandIn, draw, make_model


def make_desk(root: Path, **models: Model) -> Desk:
    def find(name: str) -> Found:
        if name not in models:
            raise PodiumError(f"There is no model '{name}'.")
        return models[name].found

    by_folder = {model.found.folder: model for model in models.values()}
    return Desk(root, Shelf([*models], find, lambda found: by_folder[found.folder], dict))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image.png"
    path.write_bytes(draw())
    return path


def test_two_models_answer_side_by_side_and_it_is_said_where_they_differ(tmp_path: Path, image: Path) -> None:
    desk = make_desk(tmp_path, a=make_model("1", "one"), b=make_model("2", "two"))
    html, asked = desk.ask(image, ["a", "b"], explain=True)
    assert 'aria-label="Answer of digits/1"' in html
    assert 'aria-label="Answer of digits/2"' in html
    assert "The two models name different classes" in html
    assert html.count("Heat map: where") == 2
    assert asked is not None
    assert [(one.model, one.label) for one in asked.said] == [("digits/1", "one"), ("digits/2", "two")]


def test_an_image_that_cannot_be_used_is_refused_in_words(tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"<html>")
    html, asked = make_desk(tmp_path, a=make_model("1")).ask(bad, ["a"], explain=True)
    assert "This image cannot be used:" in html
    assert asked is None


def test_what_strangers_wrote_is_text_on_the_page(tmp_path: Path, image: Path) -> None:
    evil = "<script>alert(1)</script>"
    found = Found(tmp_path, "digits", "1", Facts(candidate=evil, tags={"podium.commit": evil}))
    about = About(
        results=(Result(evil, "m", 0.5, 0.4, 0.6, evil, evil),), verdict=evil, reason=evil, card="", place=evil
    )
    model = Model(StandIn(found, (evil, "b"), evil), about, evil)  # type: ignore[arg-type]
    desk = make_desk(tmp_path, a=model)
    html = desk.ask(image, ["a"], explain=True)[0] + desk.about(["a"])
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 5


def test_an_unsure_answer_says_so(tmp_path: Path, image: Path) -> None:
    class Unsure(StandIn):
        def _say(self, image: bytes) -> dict[str, object]:
            return super()._say(image) | {"unsure": True}

    found = Found(tmp_path, "digits", "1", Facts())
    model = Model(Unsure(found, ("a", "b"), "a"), About())  # type: ignore[arg-type]
    html, _ = make_desk(tmp_path, a=model).ask(image, ["a"], explain=False)
    assert "Unsure." in html
    assert "below 50.0%" in html


def test_a_label_is_kept_for_review_and_counts_for_every_model_that_was_asked(tmp_path: Path, image: Path) -> None:
    desk = make_desk(tmp_path, a=make_model("1", "one"), b=make_model("2", "two"))
    _, asked = desk.ask(image, ["a", "b"], explain=False)
    assert "1 of digits waits for review" in desk.keep(asked, "two")
    (kept,) = Feedback(tmp_path, "digits").waiting()
    assert kept.label == "two"
    html = desk.about(["a", "b"])
    assert "0 of 1 images" in html
    assert "1 of 1 images" in html
    assert desk.keep(None, "two") != ""


def test_a_model_of_another_dataset_is_not_judged_by_this_one(tmp_path: Path, image: Path) -> None:
    desk = make_desk(tmp_path, a=make_model("1", "one"), b=make_model("2", "two", name="svhn"))
    _, asked = desk.ask(image, ["a", "b"], explain=False)
    assert asked is not None
    assert [one.model for one in asked.said] == ["digits/1"]


def test_what_people_ask_is_noted_where_wanted_but_not_the_camera_and_no_example(tmp_path: Path, image: Path) -> None:
    desk = make_desk(tmp_path, a=make_model("1", "one"), b=make_model("2", "two"))
    desk.log = RequestLog(tmp_path / "log")
    desk.ask(image, ["a", "b"], explain=False)
    desk.ask(draw(), ["a"], explain=False)
    example = tmp_path / "example.png"
    example.write_bytes(draw(seed=1))
    desk._known[hashlib.sha256(draw(seed=1)).hexdigest()] = "one"
    desk.ask(example, ["a"], explain=False)
    desk.log.flush()
    noted = read_requests(tmp_path / "log").table
    assert noted[["model", "label", "width"]].to_numpy().tolist() == [["digits/1", "one", 12], ["digits/2", "two", 12]]


def test_that_an_answer_is_right_is_kept_as_well(tmp_path: Path, image: Path) -> None:
    desk = make_desk(tmp_path, a=make_model("1", "one"))
    _, asked = desk.ask(image, ["a"], explain=False)
    desk.keep(asked, None)
    assert [one.label for one in Feedback(tmp_path, "digits").read()] == ["one"]


def test_an_image_that_is_gone_by_now_is_said(tmp_path: Path, image: Path) -> None:
    desk = make_desk(tmp_path, a=make_model("1"))
    _, asked = desk.ask(image, ["a"], explain=False)
    image.unlink()
    assert "upload it again" in desk.keep(asked, "two")


def test_examples_are_of_the_test_split_one_a_class_and_are_never_kept(tmp_path: Path) -> None:
    processed = make_arrays(tmp_path / "data/processed/digits")
    desk = make_desk(tmp_path, a=make_model("1"))
    examples = desk.examples("a")
    assert [name for _, name in examples.images] == ["zero", "one", "two"]
    assert len(examples.images) <= MOST
    shown = read_shown(examples.images[1][0])
    labels = open_split(processed / "test").labels
    expected = open_split(processed / "test").images[int(np.argmax(labels == 1))]
    assert np.array_equal(shown.pixels[:: 240 // 4, :: 240 // 4, 0], expected[..., 0])
    path = tmp_path / "example.png"
    path.write_bytes(examples.images[1][0])
    _, asked = desk.ask(path, ["a"], explain=False)
    assert "the dataset knows it" in desk.keep(asked, "two")
    assert Feedback(tmp_path, "digits").read() == []


def test_a_choice_says_which_version_it_is_and_what_was_recalled(tmp_path: Path) -> None:
    desk = make_desk(tmp_path)
    desk.shelf.registered = {"digits": Registered(("2", "1"), {"champion": "2"}, {"1": "wrong labels"})}
    assert desk.choices() == [
        ("digits@champion (2)", "digits@champion"),
        ("digits/2", "digits/2"),
        ("digits/1, recalled", "digits/1"),
    ]


def test_a_model_that_there_is_not_is_said(tmp_path: Path, image: Path) -> None:
    desk = make_desk(tmp_path, a=make_model("1"))
    assert "There is no model" in desk.ask(image, ["c"], explain=False)[0]
    assert "There is no model" in desk.about(["c"])
    assert desk.examples("c").images == ()


@pytest.mark.parametrize(("width", "height"), [(3000, 10), (10, 3000), (1, 1), (2000, 1500), (50, 30)])
def test_an_image_is_shown_upright_and_no_larger_than_a_screen(width: int, height: int) -> None:
    file = io.BytesIO()
    image = Pillow.new("RGB", (width, height), (10, 200, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(file, "JPEG", exif=exif)
    shown = read_shown(file.getvalue())
    assert (shown.width, shown.height) == (height, width)
    assert max(shown.pixels.shape) <= LONGEST
    assert min(shown.pixels.shape[:2]) >= 1
    drawn = draw_box(shown, [0.0, 0.0, float(height), float(width)])
    assert drawn.shape == shown.pixels.shape
    assert draw_heat(shown, np.ones((3, 5), np.float32)).shape == shown.pixels.shape
    assert as_address(drawn).startswith("data:image/")


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, ">99.9%"), (0.9999, ">99.9%"), (0.5, "50.0%"), (0.0004, "<0.1%"), (0.0, "<0.1%")]
)
def test_a_probability_that_is_not_certain_never_reads_as_certain(share: float, text: str) -> None:
    assert sure(share) == text
