"""Moving training pictures about: rotation, shift and zoom in one affine step on the raw pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from podium.config.tables import Augmentation


class Mover:
    """Moves the pictures of one epoch, and their boxes with them.

    A picture's move depends on (seed, epoch, row) and nothing else.
    """

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
        moved = np.empty_like(images)
        for place, row in enumerate(rows):
            matrix = self._matrix(row, width, height)
            picture = cv2.warpAffine(images[place], matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
            moved[place] = picture.reshape(images.shape[1:])
        return moved

    def move_boxes(
        self, boxes: NDArray[np.float32], rows: NDArray[np.int64], width: int, height: int
    ) -> NDArray[np.float32]:
        """Move boxes as `move` moves their pictures.

        Args:
            boxes: (n, 4) left, top, width, height in pixels.
            rows: (n,) their rows in the split.
            width: of the pictures, in pixels.
            height: of the pictures, in pixels.

        Returns:
            The upright boxes that enclose the moved corners, clipped to the picture; (n, 4) float32 as above. One
            that was moved out altogether has no width or no height, at the border.
        """
        left, top, right, bottom = boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
        corners = np.array([[left, right, left, right], [top, top, bottom, bottom]], np.float64).transpose(2, 0, 1)
        matrices = np.array([self._matrix(row, width, height) for row in rows])
        # OpenCV counts from the middle of the first pixel, a box from its outer edge.
        moved = matrices[:, :, :2] @ (corners - 0.5) + matrices[:, :, 2:] + 0.5
        begin, end = (np.clip(edge(moved, axis=2), 0, (width, height)) for edge in (np.min, np.max))
        return np.concatenate([begin, end - begin], axis=1).astype(np.float32)

    def _matrix(self, row: int, width: int, height: int) -> NDArray[np.float64]:
        """Give the (2, 3) matrix that moves a picture's points, (x, y) counted from the middle of the first pixel."""
        centre = ((width - 1) / 2, (height - 1) / 2)
        matrix: NDArray[np.float64] = cv2.getRotationMatrix2D(centre, self._degrees[row], self._scale[row])
        matrix[:, 2] += (self._right[row] * width, self._down[row] * height)
        return matrix
