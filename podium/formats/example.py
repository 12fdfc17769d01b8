"""One picture of a dataset, as every format gives it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Example:
    """A picture and what is known of it.

    Attributes:
        id: names the picture within the dataset, for people and tables: `train.csv:17` is line 17 of a table.
        part: the split that the archive itself puts it in (`train`, `test`); empty if it has none.
        label: as the archive writes it.
        pixels: (height, width, channels) uint8, 0–255; None if the picture cannot be used.
        fault: why the picture cannot be used; empty if it can.
    """

    id: str
    part: str
    label: str
    pixels: NDArray[np.uint8] | None
    fault: str = ""
