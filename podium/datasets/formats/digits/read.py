"""scikit-learn's digits: 8 × 8 gray images with pixels of 0–16, all in one array."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from podium.config.datasets import DigitsFormat
from podium.datasets.formats.example import Example


def read(raw: Path, layout: DigitsFormat) -> Iterator[Example]:
    """Read `digits.npz`, its pixels stretched from 0–16 to 0–255. See `formats.read`."""
    with np.load(raw / f"{layout.kind}.npz", allow_pickle=False) as arrays:
        images, target = arrays["images"], arrays["target"]
    pixels = np.rint(images[..., np.newaxis] * (255 / 16)).astype(np.uint8)
    for row, (image, label) in enumerate(zip(pixels, target, strict=True)):
        yield Example(f"digit-{row:04d}", "", str(label), image)
