"""Models small enough to be made for a test: the nearest of scikit-learn's digits, as ONNX."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

from podium.images.fitting import Placement
from podium.images.given import read_given
from podium.serving.page import PageFacts, Score
from podium.tracking.classifier import Size

SIDE = 8
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SURENESS = 4.0
"""The larger, the surer."""
BOX = (0.25, 0.125, 0.75, 0.625)
"""What the model with boxes always says, as shares of its image: left, top, right, bottom."""


def make_facts(**changes: Any) -> PageFacts:
    """Say what a page of digits knows; changes replace it."""
    keys = {
        "name": "digits",
        "version": "3",
        "dataset": "digits",
        "classes": DIGITS,
        "image": Size(SIDE, SIDE, 1, "stretch"),
        "threshold": 0.6,
        "boxes": False,
        "metrics": (Score("Accuracy, test images", 0.9583, 0.9321, 0.9751),),
        "decision": "digits-line (version 3) is better than version 2.",
    }
    return PageFacts(**(keys | changes))


@cache
def learn_digits() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give weights (64, 10) and biases (10) for pixels from 0 to 255: the class whose mean image is the nearest."""
    digits = load_digits()
    means = np.stack([digits.data[digits.target == number].mean(axis=0) for number in range(10)]) / 16
    return (means.T / 255 * SURENESS).astype(np.float32), (-SURENESS / 2 * (means**2).sum(axis=1)).astype(np.float32)


def make_digit(number: int) -> NDArray[np.uint8]:
    """Give a picture of a digit (8, 8) uint8."""
    digits = load_digits()
    return (digits.images[np.flatnonzero(digits.target == number)[3]] * 255 / 16).round().astype(np.uint8)


def save_onnx(path: Path, *, classes: int = len(DIGITS), boxes: bool = False) -> None:
    """Write the model; it says the same of each further ten classes, and so is never sure of one."""
    weights, biases = learn_digits()
    repeats = classes // len(DIGITS)
    constants = {
        "shape": np.array([-1, SIDE * SIDE]),
        "weights": np.tile(weights, repeats),
        "biases": np.tile(biases, repeats),
        "nothing": np.zeros((SIDE * SIDE, 4), np.float32),
        "edges": np.array(BOX, np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["floats", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["sums"]),
        helper.make_node("Add", ["sums", "biases"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["label"], axis=1),
        helper.make_node("MatMul", ["flat", "nothing"], ["zeros"]),
        helper.make_node("Add", ["zeros", "edges"], ["box"]),
    ]
    heads = {"label": classes} | ({"box": 4} if boxes else {})
    graph = helper.make_graph(
        nodes if boxes else nodes[:5],
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", SIDE, SIDE, 1])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size]) for name, size in heads.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)


def answer(data: bytes, about: PageFacts) -> tuple[NDArray[np.float32], list[float]]:
    """Give the probabilities (10) of an image file as Python finds them, and the box in its own pixels."""
    weights, biases = learn_digits()
    given = read_given(data, about.image)
    scores = given.pixels.reshape(-1).astype(np.float32) @ weights + biases
    shares = np.exp(scores - scores.max())
    place = Placement.of(given.width, given.height, about.image)
    box = place.move_back(np.array(BOX) * SIDE).clip(0, [given.width, given.height] * 2)
    return shares / shares.sum(), box.tolist()
