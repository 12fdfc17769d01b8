"""One pass over a dataset's images, each decoded in full: the manifest."""

import hashlib
from collections.abc import Iterable
from itertools import islice

import cv2
import pandas as pd

from podium.datasets.formats.example import Example
from podium.datasets.validation.manifest import SEEN, TYPES
from podium.images import measures
from podium.images.decoding import inspect
from podium.images.measures import measure
from podium.images.opening import BadImageError
from podium.images.parallel import map_in_order
from podium.progress import show_progress

BLOCK_ROWS = 4096
"""Rows that are Python's objects at a time."""


def build_manifest(examples: Iterable[Example]) -> pd.DataFrame:
    """Look at every image once, decode it in full, and note what validation and splitting need to know.

    Args:
        examples: the dataset's images.

    Returns:
        A table with the columns `SEEN`, in the order of the images. `format` and `mode` are Pillow's names,
        empty for images from tables. Sizes and boxes are in pixels, `bytes` and `sha256` are of the file or, for
        images from tables, of the pixels; `podium.images.measures` explains the measures between. `notice`
        says what is odd about a usable image. One that cannot be used has a `fault`, and zeros.
    """
    rows = show_progress(map_in_order(_row, examples, weigh=lambda example: example.nbytes), "images")
    batches = iter(lambda: list(islice(rows, BLOCK_ROWS)), [])
    blocks = [pd.DataFrame(batch, columns=SEEN).astype(TYPES) for batch in batches]
    return pd.concat(blocks or [pd.DataFrame(columns=SEEN).astype(TYPES)], ignore_index=True)


def _row(example: Example) -> tuple[object, ...]:
    image, fault, notice, data = example.image, example.fault, "", b""
    facts: tuple[object, ...] = ("", "", 0, 0, 0)
    seen = measures.NO_MEASURES
    if isinstance(image, bytes):
        data = image
        try:
            found = inspect(data, example.id)
        except BadImageError as error:
            fault = str(error)
        else:
            facts = (found.format, found.mode, found.height, found.width, found.channels)
            seen, notice = measure(found.gray, found.colour), found.notice
    elif image is not None:
        data = image.tobytes()
        facts = ("", "", *image.shape)
        gray = image[..., 0] if image.shape[2] == 1 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        mean = cv2.mean(image)
        seen = measure(gray, (mean[0], mean[0], mean[0]) if image.shape[2] == 1 else mean[:3])
    digest = hashlib.sha256(data).hexdigest() if data else ""
    return (
        *(example.id, example.part, example.label, *facts, len(data), *seen, digest),
        *(*(example.box or (None,) * 4), notice or None, fault or None),
    )
