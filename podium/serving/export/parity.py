"""Parity: whether a runtime gives the answers that Keras gives, and if not, at which step it begins to differ."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from podium.images.given import Given, read_given
from podium.serving.export.golden_files import GoldenFile, save_png
from podium.serving.export.source import as_float
from podium.serving.export.target import Door, Heads, Runner
from podium.tracking.classifier import BATCH, Answer, Classifier, Size

TOLERANCE: Final = 1e-4
"""By how much a probability may differ, and an edge of a box, as a share of the image."""
AGREEMENT: Final = 0.98
"""Share of images about which a lossy file has to name the same class."""


@dataclass(frozen=True)
class Parity:
    """How a runtime's answers differ from those of Keras.

    Attributes:
        greatest: difference of a probability, or of an edge of a box as a share of the image.
        agreement: share of images with the same class.
        images: that were asked about.
        worst: the image with that difference, or with another class; for people.
        row: its place among the golden files, or among the arrays.
        fault: what keeps it from being the same; empty if nothing does.
    """

    greatest: float = 0.0
    agreement: float = 1.0
    images: int = 0
    worst: str = ""
    row: int = 0
    fault: str = ""

    def beside(self, other: "Parity") -> "Parity":
        """Give both as one."""
        images = self.images + other.images
        agreed = self.agreement * self.images + other.agreement * other.images
        worse = other if (other.fault and not self.fault) or other.greatest > self.greatest else self
        return replace(
            worse,
            greatest=max(self.greatest, other.greatest),
            agreement=agreed / images if images else 1.0,
            images=images,
            fault=self.fault or other.fault,
        )


class ByPixels:
    """A runner as a door: podium decodes the files for it."""

    def __init__(self, runner: Runner, reference: Classifier) -> None:
        """Let a runner answer as the reference does: with the same classes, size and threshold."""
        known = {
            "classes": list(reference.classes),
            "image": {name: getattr(reference.size, name) for name in ("height", "width", "channels", "resize")},
            "threshold": reference.threshold,
            "boxes": reference.has_boxes,
        }
        self._classifier = Classifier(_AsFloat(runner), known)

    def answer(self, files: list[bytes]) -> list[Answer]:
        """Answer about image files."""
        return self._classifier.predict(files)


class _AsFloat:
    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def predict_on_batch(self, pixels: NDArray[np.uint8]) -> Heads:
        return as_float(self._runner.predict_on_batch(pixels))


def compare_files(reference: Classifier, door: Door, files: Sequence[GoldenFile], *, is_lossy: bool = False) -> Parity:
    """Compare the answers about image files.

    Returns:
        Of a lossy door no fault is told here, but for an answer that is none: see `judge_lossy`.
    """
    data = [file.data for file in files]
    expected, said = reference.predict(data), door.answer(data)
    found = Parity()
    for row, (file, one, other) in enumerate(zip(files, expected, said, strict=True)):
        size = read_given(file.data, reference.size)
        found = found.beside(_compare(one, other, file.name, row, (size.width, size.height), is_lossy))
    return found


def _compare(expected: Answer, said: Answer, name: str, row: int, size: tuple[int, int], is_lossy: bool) -> Parity:
    if expected["error"] or said["error"]:
        fault = f"of {name} it says: {said['error'] or 'a class'}; Keras: {expected['error'] or expected['label']}"
        return Parity(math.inf, 0.0, 1, name, row, fault)
    if set(said["probabilities"]) != set(expected["probabilities"]):
        return Parity(math.inf, 0.0, 1, name, row, f"it has other classes: {', '.join(said['probabilities'])}")
    known = expected["probabilities"]
    differences = [abs(said["probabilities"][label] - known[label]) for label in known]
    if expected.get("box") is not None:
        differences += [
            abs(one - other) / size[edge % 2]
            for edge, (one, other) in enumerate(zip(expected["box"], said["box"], strict=True))
        ]
    greatest = max(differences)
    greatest = greatest if math.isfinite(greatest) else math.inf
    slack = 0.0 if is_lossy else 2 * TOLERANCE  # two classes may be equally likely
    same = known[said["label"]] >= known[expected["label"]] - slack
    fault = ""
    if not is_lossy and not (same and greatest <= TOLERANCE):
        fault = (
            f"of {name} it says {said['label']} ({said['probability']:.4f}), Keras {expected['label']} "
            f"({expected['probability']:.4f}); the greatest difference is {greatest:.2g}, over {TOLERANCE:g}"
        )
    return Parity(greatest, float(same), 1, name, row, fault)


def compare_arrays(expected: Heads, runner: Runner, images: NDArray[np.uint8], *, is_lossy: bool = False) -> Parity:
    """Compare the answers about images that are arrays of the model's size.

    Args:
        expected: Keras's, see `ask`.
        runner: another.
        images: (n, height, width, channels) uint8.
        is_lossy: then no fault is told here.
    """
    said = ask(runner, images)
    labels, others = expected["label"], said["label"]
    differences = np.max([np.abs(expected[name] - said[name]).max(axis=1) for name in expected], axis=0)
    differences = np.where(np.isfinite(differences), differences, np.inf)
    rows = np.arange(len(labels))
    slack = 0.0 if is_lossy else 2 * TOLERANCE
    same = labels[rows, others.argmax(axis=1)] >= labels.max(axis=1) - slack
    row = int(differences.argmax())
    greatest = float(differences[row])
    fault = ""
    if not is_lossy and not (same.all() and greatest <= TOLERANCE):
        fault = (
            f"of image {row} of the arrays a probability differs by {greatest:.2g}, over {TOLERANCE:g}; the class is "
            f"the same for {same.mean():.1%}"
        )
    return Parity(greatest, float(same.mean()), len(labels), f"image {row} of the arrays", row, fault)


def ask(runner: Runner, images: NDArray[np.uint8]) -> Heads:
    """Ask about many images, a batch at a time: `Heads`."""
    batches = [as_float(runner.predict_on_batch(batch)) for batch in _batches(images)]
    return {name: np.concatenate([heads[name] for heads in batches]) for name in batches[0]}


def _batches(images: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for begin in range(0, len(images), BATCH):
        yield np.ascontiguousarray(images[begin : begin + BATCH])


def judge_lossy(parity: Parity) -> Parity:
    """Give a lossy file's parity with its fault, if it names another class too often."""
    if parity.fault or parity.agreement >= AGREEMENT:
        return parity
    fault = f"it names the same class for {parity.agreement:.1%} of {parity.images:,} images, below {AGREEMENT:.0%}"
    return replace(parity, fault=fault)


def name_step(reference: Classifier, door: Door, file: GoldenFile) -> str:
    """Say at which step a door's answer about a file begins to differ: decode, resize, or the model.

    The door is asked about the same image twice more, as PNG, which loses nothing: first as podium decodes it, then as
    podium brings it to the model's size. What is right from then on was right after that step.

    Returns:
        `decode`, `resize`, or `model`: it differs with the very pixels that the model sees.
    """
    given = read_given(file.data, reference.size)
    whole = Size(given.height, given.width, reference.size.channels, "stretch")
    forms = (("resize", given.pixels), ("decode", read_given(file.data, whole).pixels))
    step = "model"
    for earlier, pixels in forms:
        if compare_files(reference, door, [GoldenFile(file.name, save_png(pixels))]).fault:
            return step
        step = earlier
    return step


def fitted(reference: Classifier, file: GoldenFile) -> NDArray[np.uint8]:
    """Give a file's pixels as the model sees them: (1, height, width, channels) uint8."""
    given: Given = read_given(file.data, reference.size)
    return given.pixels[np.newaxis]
