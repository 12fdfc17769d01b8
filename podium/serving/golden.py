"""Golden images, asked again: whether a model says of them what the evaluation heard.

`podium.tracking.golden` chose and wrote them.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

TOLERANCE = 1e-4
"""By how much a probability may differ."""
BOX_TOLERANCE = 0.1
"""Pixels: by how much an edge of a box may differ."""
ARTIFACTS, GOLDEN = "artifacts", "golden.json"


class FaultError(Exception):
    """Why a model does not serve; its text is a sentence."""


def read_golden(model: Path) -> list[dict[str, Any]]:
    """Read what was heard of each golden image of a logged model.

    Args:
        model: its folder, resolved.

    Returns:
        Of each: `image`, its file among the artifacts; `label`, `probabilities`, and `box` if the model knows boxes.

    Raises:
        FaultError: it has none, or not all of them are there.
    """
    folder = model / ARTIFACTS
    try:
        images: list[dict[str, Any]] = json.loads((folder / GOLDEN).read_text(encoding="utf-8"))["images"]
        paths = [(folder / image["image"]).resolve() for image in images]
    except FileNotFoundError:
        raise FaultError(
            f"It has no {ARTIFACTS}/{GOLDEN}, the images and answers to hold it against: it was logged by an older "
            "podium, or not in full."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise FaultError(f"Its {ARTIFACTS}/{GOLDEN} cannot be read: {error!r}.") from None
    if not images:
        raise FaultError(f"Its {ARTIFACTS}/{GOLDEN} names no image.")
    for path in paths:
        if not path.is_relative_to(folder) or not path.is_file():
            raise FaultError(f"Its golden image {path.name} is missing.")
    return images


def compare(expected: dict[str, Any], answer: dict[str, Any]) -> tuple[float, str]:
    """Give the greatest difference of a probability, and what is wrong with an answer; empty if nothing is."""
    name = expected["image"]
    if answer["error"]:
        return math.nan, f"It cannot read {name}: {answer['error']}."
    heard, said = expected["probabilities"], answer["probabilities"]
    if list(heard) != list(said):
        return math.nan, f"It has other classes than those that it was evaluated with: {', '.join(said)}."
    difference = float(np.abs(np.array([*heard.values()]) - [*said.values()]).max())
    if not difference <= TOLERANCE:  # NaN, too
        text = f"It says {answer['label']} of {name}, the evaluation heard {expected['label']}"
        return difference, f"{text}; a probability differs by {difference:.2g}, more than {TOLERANCE:g}."
    if not heard[answer["label"]] >= heard[expected["label"]] - 2 * TOLERANCE:
        return difference, f"It says {answer['label']} of {name}, where the evaluation heard {expected['label']}."
    boxes = np.abs(np.array(expected["box"]) - answer["box"]).max() if "box" in expected else 0.0
    if not boxes <= BOX_TOLERANCE:
        return difference, f"Its box of {name} differs by {boxes:.2g} pixels, more than {BOX_TOLERANCE:g}."
    return difference, ""
