"""Moving training pictures about: rotation, shift and zoom in one affine step on the raw pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from podium.config.tables import Augmentation


class Mover:
    """Moves the pictures of one epoch. A picture's move depends on (seed, epoch, row) and nothing else."""

    def __init__(self, options: Augmentation, seed: int, epoch: int, rows: int) -> None:
        """Draw every picture's move.

        Args:
            options: how far.
            seed: the schedule's seed.
            epoch: counted over all phases.
            rows: how many pictures the split has.
        """
        draws = np.random.default_rng([seed, epoch, 1]).uniform(-1, 1, size=(4, rows))
        self._degrees = draws[0] * options.rotate
        self._scale = 1 + draws[1] * options.zoom
        self._right = draws[2] * options.shift
        self._down = draws[3] * options.shift

    def move(self, images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Move pictures; what comes in from outside is their own mirrored border.

        Args:
            images: (n, height, width, channels) uint8.
            rows: (n,) their rows in the split.

        Returns:
            New pictures of the same shape.
        """
        _, height, width, _ = images.shape
        centre = ((width - 1) / 2, (height - 1) / 2)
        moved = np.empty_like(images)
        for place, row in enumerate(rows):
            matrix = cv2.getRotationMatrix2D(centre, self._degrees[row], self._scale[row])
            matrix[:, 2] += (self._right[row] * width, self._down[row] * height)
            picture = cv2.warpAffine(images[place], matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
            moved[place] = picture.reshape(images.shape[1:])
        return moved
