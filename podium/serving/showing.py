"""Answers that one can look at: of each image a file with what the model sees in it, and a page of many."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from podium.images.given import Given
from podium.images.opening import BadImageError
from podium.pages.fonts import open_font
from podium.pages.html import write_html
from podium.pages.thumbnails import Box, draw_heat, draw_thumbnail, shrink
from podium.serving.predictor import Answer, AnyImage, Predictor
from podium.serving.reading import read_upright
from podium.serving.wording import describe, describe_others

SIDE: Final = 640
"""Pixels that the longer side of an image has at most."""
LEAST_SIDE: Final = 320
"""Pixels: a smaller image is enlarged by a whole factor towards it, so that one sees its pixels."""
MAX_ON_PAGE: Final = 400
"""Images on the page; all of them have a file."""
OTHERS: Final = 4
"""Classes that are shown below an answer."""

_HEAD, _GAP, _INK, _PAPER = 30, 8, "#1d2932", "white"
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Shown:
    """An answer on the page.

    Attributes:
        name: the image's.
        text: the answer in a few words.
        notes: the next classes, or why there is no answer.
        figures: WebP files: the image, its box drawn; and where the model sees the class, if that is known.
        is_bad: whether the image could not be read.
        is_unsure: whether the model is.
    """

    name: str
    text: str
    notes: str
    figures: tuple[bytes, ...] = ()
    is_bad: bool = False
    is_unsure: bool = False


class Exhibition:
    """The folder of what is shown; `close` writes its page."""

    def __init__(self, predictor: Predictor, folder: Path) -> None:
        """Begin a folder, which may be there.

        Args:
            predictor: whose answers are shown.
            folder: files of an earlier showing are replaced one by one.
        """
        self._predictor, self._folder = predictor, folder
        self._shown: list[Shown] = []
        self._count = 0
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, image: AnyImage, answer: Answer) -> None:
        """Draw an image with its answer: its box, or else where the model sees the class, beside the original."""
        self._count += 1
        if answer["error"]:
            self._keep(Shown(name, describe(answer), answer["error"], is_bad=True))
            return
        try:
            given = read_upright(image, SIDE)
        except BadImageError as error:  # the file is another one than a moment ago
            self._keep(Shown(name, describe(answer), str(error), is_bad=True))
            return
        boxes, heat = self._predictor.has_boxes, None
        if not boxes and self._predictor.can_explain:
            heat = self._predictor.explain(image, answer["label"], SIDE)
        pixels, box = given.pixels, _place_box(given, answer["box"]) if boxes else None
        file = f"{self._count:05d}-{_OTHER.sub('_', Path(name).name)[-60:]}.jpg"
        _draw(pixels, box, heat, describe(answer)).save(self._folder / file, quality=90)
        small, small_box = shrink(pixels, box)
        figures = [draw_thumbnail(small, None, small_box)]
        figures += [] if heat is None else [draw_heat(small, heat.astype(np.float16))]
        notes = describe_others(answer, OTHERS)
        self._keep(Shown(name, describe(answer), notes, tuple(figures), is_unsure=bool(answer["unsure"])))

    def close(self) -> Path:
        """Write the page of all, where there is more than one; give the place to look at."""
        if self._count < 2:
            return self._folder
        values = {
            "title": self._predictor.found.title,
            "shown": self._shown,
            "count": self._count,
            "bad": sum(one.is_bad for one in self._shown),
            "heat": self._predictor.can_explain and not self._predictor.has_boxes,
            "boxes": self._predictor.has_boxes,
        }
        path = self._folder / "index.html"
        write_html(__package__, "showing.html", values, {"number": lambda number: f"{number:,}"}, path)
        return path

    def _keep(self, shown: Shown) -> None:
        if len(self._shown) < MAX_ON_PAGE:
            self._shown.append(shown)


def _place_box(given: Given, edges: Sequence[float]) -> Box:
    """Give a box, left, top, right and bottom in the image's own pixels, on the smaller image: left, top and size."""
    left, top, right, bottom = edges
    height, width = given.pixels.shape[:2]
    across, down = width / given.width, height / given.height
    return left * across, top * down, (right - left) * across, (bottom - top) * down


def _draw(pixels: NDArray[np.uint8], box: Box | None, heat: NDArray[np.float32] | None, text: str) -> Pillow.Image:
    """Draw what one file shows: the image with its box, or two beside each other; above them the answer."""
    factor = max(1, LEAST_SIDE // max(pixels.shape[:2]))
    pixels = pixels.repeat(factor, axis=0).repeat(factor, axis=1)
    box = box and (box[0] * factor, box[1] * factor, box[2] * factor, box[3] * factor)
    parts = [draw_thumbnail(pixels, None, box)] + ([] if heat is None else [draw_heat(pixels, heat.astype(np.float16))])
    images = [Pillow.open(io.BytesIO(part)).convert("RGB") for part in parts]
    font = open_font("DejaVuSans-Bold", 15)
    width = max(sum(image.width + _GAP for image in images) - _GAP, int(font.getlength(text)) + 2 * _GAP)
    whole = Pillow.new("RGB", (width, _HEAD + images[0].height), _PAPER)
    ImageDraw.Draw(whole).text((_GAP, 6), text, _INK, font)
    left = 0
    for image in images:
        whole.paste(image, (left, _HEAD))
        left += image.width + _GAP
    return whole
