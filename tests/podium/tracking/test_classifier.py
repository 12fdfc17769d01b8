import base64
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from podium.tracking import classifier
from podium.tracking.classifier import BATCH, MAX_IMAGES, Classifier

HEIGHT, WIDTH = 4, 6
KNOWN = {
    "classes": ["dark", "light"],
    "image": {"height": HEIGHT, "width": WIDTH, "channels": 1, "resize": "stretch"},
    "threshold": 0.75,
    "boxes": False,
}


class Bright:
    """A model that knows how light an image is: the share of white is the probability of the second class."""

    def __init__(self, *, boxes: bool = False) -> None:
        self.asked: list[int] = []
        self._boxes = boxes

    def predict_on_batch(self, images: np.ndarray) -> dict[str, np.ndarray]:
        assert (images.dtype, images.shape[1:]) == (np.uint8, (HEIGHT, WIDTH, 1))
        self.asked.append(len(images))
        light = images.reshape(len(images), -1).mean(axis=1, dtype=np.float32) / 255
        heads = {"label": np.stack([1 - light, light], axis=1)}
        return heads | ({"box": np.tile(np.float32([0.25, 0, 0.5, 1]), (len(images), 1))} if self._boxes else {})


def make(**changes: Any) -> tuple[Classifier, Bright]:
    known = KNOWN | changes
    model = Bright(boxes=known["boxes"])
    made = Classifier(model, known)
    model.asked.clear()
    return made, model


def gray(value: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    return np.full((height, width, 1), value, np.uint8)


def png(value: int, **size: int) -> bytes:
    file = io.BytesIO()
    Pillow.fromarray(gray(value, **size)[..., 0]).save(file, "PNG")
    return file.getvalue()


def text(value: int) -> str:
    return base64.b64encode(png(value)).decode()


def test_an_answer_names_the_class_its_probability_and_that_of_every_class() -> None:
    (answer,) = make()[0].predict(gray(204))
    assert answer == {
        "label": "light",
        "probability": pytest.approx(0.8),
        "unsure": False,
        "probabilities": {"dark": pytest.approx(0.2), "light": pytest.approx(0.8)},
        "error": "",
    }


@pytest.mark.parametrize(
    ("threshold", "unsure"), [(0.75, [False, True]), (1.0, [False, True]), (0.0, [False, False]), (None, [None, None])]
)
def test_an_answer_below_the_threshold_is_unsure(threshold: float | None, unsure: list[bool | None]) -> None:
    answers = make(threshold=threshold)[0].predict([png(0), png(102)])
    assert [answer["unsure"] for answer in answers] == unsure


FORMS = {
    "an array": (gray(255), 1),
    "a stack": (np.stack([gray(255)] * 3), 3),
    "an empty stack": (np.zeros((0, HEIGHT, WIDTH, 1), np.uint8), 0),
    "a file": (png(255), 1),
    "a text": (text(255), 1),
    "files": ([png(255)] * 2, 2),
    "a bit of all": ([png(255), text(255), gray(255), gray(255).tolist()], 4),
    "no images": ([], 0),
    "a column": (pd.Series([png(255), text(255)]), 2),
    "a table": (pd.DataFrame({"image": [png(255), text(255), gray(255)], "name": ["a", "b", "c"]}), 3),
    "a table of one column": (pd.DataFrame({0: [text(255)]}), 1),
    "an empty table": (pd.DataFrame({"image": []}), 0),
    "a mapping": ({"image": [png(255), gray(255)]}, 2),
    "a mapping of a stack": ({"image": np.stack([gray(255)] * 2)}, 2),
    "a mapping of an array": ({"image": gray(255)}, 1),
    "what MLflow makes of a mapping of texts": (pd.DataFrame([{"image": [text(255), text(255)]}]), 2),
}


@pytest.mark.parametrize("form", FORMS)
def test_images_are_taken_in_many_forms(form: str) -> None:
    given, count = FORMS[form]
    assert [answer["label"] for answer in make()[0].predict(given)] == ["light"] * count


def test_a_table_without_images_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\['left', 'right'\]; expected one that is named image"):
        make()[0].predict(pd.DataFrame({"left": [text(0)], "right": [text(0)]}))


@pytest.mark.parametrize("boxes", [False, True])
def test_an_image_that_cannot_be_read_does_not_spoil_the_others(boxes: bool) -> None:
    answers = make(boxes=boxes)[0].predict([png(0), b"no image", None, png(255), ""])
    assert [answer["label"] for answer in answers] == ["dark", None, None, "light", None]
    assert [bool(answer["error"]) for answer in answers] == [False, True, True, False, True]
    assert len({tuple(sorted(answer)) for answer in answers}) == 1
    assert all(answers[1][name] is None for name in answers[1] if name != "error")


def test_where_no_image_can_be_read_the_model_is_not_asked() -> None:
    made, model = make()
    assert [answer["label"] for answer in made.predict(["", "x"])] == [None, None]
    assert model.asked == []


def test_many_images_are_answered_in_order_a_batch_at_a_time() -> None:
    made, model = make()
    values = [255 if number % 3 else 0 for number in range(2 * BATCH + 5)]
    answers = made.predict([gray(value) for value in values])
    assert [answer["label"] for answer in answers] == ["light" if value else "dark" for value in values]
    assert model.asked == [BATCH, BATCH, 5]


def test_too_many_images_are_refused_before_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "read_given", None)
    (answer,) = make()[0].predict([b""] * (MAX_IMAGES + 1))
    assert (answer["label"], answer["error"]) == (None, f"1,025 images at once; ask for at most {MAX_IMAGES:,}")


def test_a_model_that_answers_no_numbers_says_so() -> None:
    made, model = make()
    model.predict_on_batch = lambda images: {"label": np.full((len(images), 2), np.nan)}  # type: ignore[method-assign]
    (answer,) = made.predict(gray(1))
    assert (answer["label"], answer["error"]) == (None, "the model's probabilities of it are no numbers")


@pytest.mark.parametrize(
    ("resize", "box"),
    [
        ("stretch", [10, 0, 20, 40]),
        ("pad", [5, 0, 20, 40]),  # ten pixels of border at the left, of sixty
        ("crop", [10, 6, 20, 33]),  # its 27 rows from the middle,
    ],
)
def test_a_box_is_in_the_pixels_of_the_image_that_was_given(resize: str, box: list[float]) -> None:
    made, _ = make(boxes=True, image=KNOWN["image"] | {"resize": resize})
    (answer,) = made.predict(png(255, height=40, width=40))
    assert answer["box"] == pytest.approx(box)


def test_a_box_ends_where_the_image_ends() -> None:
    made, _ = make(boxes=True, image=KNOWN["image"] | {"resize": "pad"})
    (answer,) = made.predict(png(255, height=40, width=8))  # the left edge of the box is in the border
    assert answer["box"] == [0, 0, 8, 40]
