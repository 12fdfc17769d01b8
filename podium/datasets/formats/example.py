"""One image of a dataset, as every format gives it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Left, top, width, height: pixels of the original image, its first column and row being 0."""


@dataclass(frozen=True, slots=True)
class Example:
    """An image and what is known of it.

    Attributes:
        id: names the image within the dataset, for people and tables: `train.csv:17` is line 17 of a table. An image
            file is named by its path in the archive.
        part: the split that the archive itself puts it in (`train`, `test`); empty if it has none.
        label: as the archive writes it; empty in the part `unlabelled`.
        image: its pixels, (height, width, channels) uint8, 0–255, or an image file's bytes, not decoded yet;
            None if it cannot be used.
        fault: why it cannot be used; empty if it can.
        box: where in the image the labelled thing is, if the archive knows.
    """

    id: str
    part: str
    label: str
    image: NDArray[np.uint8] | bytes | None
    fault: str = ""
    box: Box | None = None

    @property
    def nbytes(self) -> int:
        """How many bytes its image takes."""
        if isinstance(self.image, bytes):
            return len(self.image)
        return 0 if self.image is None else self.image.nbytes
