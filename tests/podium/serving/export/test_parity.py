"""Parity: what counts as the same, and at which step it ends; with models that are a line of NumPy."""

import io
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from podium.images.given import read_given
from podium.serving.export.golden_files import GoldenFile
from podium.serving.export.parity import (
    AGREEMENT,
    TOLERANCE,
    ByPixels,
    Parity,
    compare_arrays,
    compare_files,
    judge_lossy,
    name_step,
)
from podium.serving.export.target import Heads
from podium.tracking.classifier import Answer, Classifier

SIZE = {"height": 6, "width": 8, "channels": 3, "resize": "stretch"}
KNOWN: Answer = {"classes": ["dark", "light"], "image": SIZE, "threshold": 0.6, "boxes": True}


class Light:
    """Sees how light the left half is; `off` is added to what it says of it."""

    def __init__(self, off: float = 0.0) -> None:
        self._off = off

    def predict_on_batch(self, pixels: np.ndarray) -> Heads:
        light = pixels[:, :, :4].mean(axis=(1, 2, 3)) / 255 + self._off
        box = np.stack([0 * light, 0 * light, light, light], axis=1)
        return {"label": np.stack([1 - light, light], axis=1).astype(np.float32), "box": box.astype(np.float32)}


class Decoding:
    """A door with a decoder of its own."""

    def __init__(self, read: Callable[[bytes], np.ndarray]) -> None:
        self._read, self._classifier = read, Classifier(Light(), KNOWN)

    def answer(self, files: list[bytes]) -> list[Answer]:
        return self._classifier.predict([self._read(data) for data in files])


def save(kind: str = "PNG", *, size: tuple[int, int] = (8, 6), **settings: Any) -> GoldenFile:
    """A file that is dark at the left and light at the right."""
    pixels = np.tile(np.linspace(0, 140, size[0]).astype(np.uint8)[:, np.newaxis], (size[1], 1, 3))
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, kind, **settings)
    return GoldenFile(f"{size}.{kind}", buffer.getvalue())


@pytest.fixture
def reference() -> Classifier:
    return Classifier(Light(), KNOWN)


def test_the_same_answers_have_no_fault(reference: Classifier) -> None:
    files = [save(), save("JPEG", size=(50, 31)), save(size=(1, 1))]
    parity = compare_files(reference, ByPixels(Light(), reference), files)
    assert (parity.fault, parity.greatest, parity.agreement, parity.images) == ("", 0.0, 1.0, 3)


@pytest.mark.parametrize(("off", "is_same"), [(0.8 * TOLERANCE, True), (1.3 * TOLERANCE, False), (np.nan, False)])
def test_a_probability_may_differ_by_the_tolerance_and_no_more(
    reference: Classifier, off: float, is_same: bool
) -> None:
    parity = compare_files(reference, ByPixels(Light(off), reference), [save()])
    assert (parity.fault == "") is is_same
    images = np.full((5, 6, 8, 3), 40, np.uint8)
    assert (compare_arrays(Light().predict_on_batch(images), Light(off), images).fault == "") is is_same


def test_the_fault_names_the_image_both_answers_and_the_difference(reference: Classifier) -> None:
    fault = compare_files(reference, ByPixels(Light(0.5), reference), [save()]).fault
    assert fault == (
        "of (8, 6).PNG it says light (0.6176), Keras dark (0.8824); the greatest difference is 0.5, over 0.0001"
    )


@pytest.mark.parametrize(
    ("read", "file", "step"),
    [
        (lambda data: np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB")), "sideways", "decode"),
        (
            lambda data: cv2.resize(_whole(data), (8, 6), interpolation=cv2.INTER_NEAREST_EXACT),
            "large",
            "resize",
        ),
        (lambda data: read_given(data, _size()).pixels // 2, "large", "model"),
    ],
    ids=["EXIF is not read", "the nearest pixel is taken", "the model is another"],
)
def test_the_step_that_differs_first_is_named(
    reference: Classifier, read: Callable[[bytes], np.ndarray], file: str, step: str
) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 3
    files = {"sideways": save(exif=exif), "large": save(size=(61, 43))}
    door = Decoding(read)
    assert compare_files(reference, door, [files[file]]).fault
    assert name_step(reference, door, files[file]) == step


def _size() -> Any:
    return Classifier(Light(), KNOWN).size


def _whole(data: bytes) -> np.ndarray:
    return np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))


def test_a_door_that_refuses_a_file_or_knows_other_classes_is_at_fault(reference: Classifier) -> None:
    class Refusing:
        def answer(self, files: list[bytes]) -> list[Answer]:
            return [{"label": None, "probability": None, "probabilities": None, "error": "too large"}]

    class Other:
        def answer(self, files: list[bytes]) -> list[Answer]:
            return [{"label": "cat", "probability": 1.0, "probabilities": {"cat": 1.0}, "error": ""}]

    assert "it says: too large; Keras: dark" in compare_files(reference, Refusing(), [save()]).fault
    assert "other classes: cat" in compare_files(reference, Other(), [save()]).fault


def test_classes_that_are_equally_likely_may_change_places(reference: Classifier) -> None:
    images = np.full((1, 6, 8, 3), 127, np.uint8)
    expected = {"label": np.array([[0.50001, 0.49999]], np.float32), "box": np.zeros((1, 4), np.float32)}

    class Turned:
        def predict_on_batch(self, pixels: np.ndarray) -> Heads:
            return {"label": expected["label"][:, ::-1], "box": expected["box"]}

    assert compare_arrays(expected, Turned(), images).fault == ""
    assert compare_arrays(expected, Turned(), images, is_lossy=True).agreement == 0.0


@pytest.mark.parametrize(("agreed", "fault"), [(AGREEMENT, ""), (0.975, "the same class for 97.5% of 400 images")])
def test_a_lossy_file_is_judged_by_its_classes(agreed: float, fault: str) -> None:
    parity = judge_lossy(Parity(greatest=0.3, agreement=agreed, images=400))
    assert fault in parity.fault
    assert bool(parity.fault) is bool(fault)


def test_the_sum_of_two_remembers_the_worse_and_counts_both() -> None:
    both = Parity(0.1, 1.0, 10, "a", 3).beside(Parity(0.4, 0.5, 30, "b", 7, "wrong"))
    assert both == Parity(0.4, 0.625, 40, "b", 7, "wrong")
    assert Parity(0.4, 0.5, 30, "b", 7, "wrong").beside(Parity(0.1, 1.0, 10, "a", 3)) == both
