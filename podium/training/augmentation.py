"""Moving training images about and changing their light: one warp and one look-up of the raw pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from podium.config.schedules import Augmentation

_MOVE, _SHEAR, _PERSPECTIVE, _FLIP, _BRIGHTNESS, _CONTRAST, _SHRINK, _STRETCH, _INVERT, _COLOUR, _CUTOUT = range(1, 12)
"""The stream of draws that each kind has: to ask for one more kind changes no draw of the others."""

_NEAREST = 1e-6
"""A point at or behind the eye of a perspective is taken for one this far in front of it."""


class Augmenter:
    """Moves the images of one epoch and changes their light; their boxes move with them.

    What happens to an image depends on (seed, epoch, row) and nothing else.
    """

    def __init__(self, options: Augmentation, seed: int, epoch: int, rows: int) -> None:
        """Draw what happens to every image.

        Args:
            options: how far, how much.
            seed: the schedule's seed.
            epoch: counted over all phases.
            rows: how many images the split has.
        """

        def draw(kind: int, *shape: int) -> NDArray[np.float64]:
            return np.random.default_rng([seed, epoch, kind]).uniform(-1, 1, size=(*shape, rows))

        draws = draw(_MOVE, 4)
        self._degrees = draws[0] * options.rotate
        self._scale = 1 + draws[1] * options.zoom
        self._right = draws[2] * options.shift
        self._down = draws[3] * options.shift
        self._lean = np.tan(np.radians(draw(_SHEAR) * options.shear)) if options.shear else None
        self._flipped = draw(_FLIP) < 0 if options.flip else None
        self._corners = draw(_PERSPECTIVE, 4, 2) * options.perspective if options.perspective else None
        self._shrunk = 1 - (draw(_SHRINK) + 1) / 2 * options.shrink if options.shrink else None
        self._stretch = 1 + draw(_STRETCH) * options.stretch if options.stretch else None
        self._inverted = (draw(_INVERT) + 1) / 2 < options.invert if options.invert else None
        self._colour = draw(_COLOUR, 2, 3) * options.colour if options.colour else None
        self._holes = _around((draw(_CUTOUT, 2) + 1) / 2, options.cutout) if options.cutout else None
        self._lift = draw(_BRIGHTNESS) * options.brightness if options.brightness else None
        self._gain = 1 + draw(_CONTRAST) * options.contrast if options.contrast else None

    def augment(self, images: NDArray[np.uint8], rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Move images and change their light; what comes in from outside is their own flipped border.

        Args:
            images: (n, height, width, channels) uint8, 0–255.
            rows: (n,) their rows in the split.

        Returns:
            New images of the same shape.
        """
        _, height, width, channels = images.shape
        augmented = np.empty_like(images)
        warp = cv2.warpAffine if self._corners is None else cv2.warpPerspective
        tables = self._tables(rows, channels)
        for place, row in enumerate(rows):
            matrix = self._matrix(row, width, height)
            image = warp(images[place], matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
            if tables is not None:
                image = cv2.LUT(image, tables[place])
            augmented[place] = image.reshape(images.shape[1:])
            if self._holes is not None:
                _fill(augmented[place], self._holes[..., row])
        return augmented

    def augment_boxes(
        self, boxes: NDArray[np.float32], rows: NDArray[np.int64], width: int, height: int
    ) -> NDArray[np.float32]:
        """Move boxes as `augment` moves their images.

        Args:
            boxes: (n, 4) left, top, width, height in pixels.
            rows: (n,) their rows in the split.
            width: of the images, in pixels.
            height: of the images, in pixels.

        Returns:
            The upright boxes that enclose the moved corners, clipped to the image; (n, 4) float32 as above. One
            that was moved out altogether has no width or no height, at the border.
        """
        left, top, right, bottom = boxes[:, 0], boxes[:, 1], boxes[:, 0] + boxes[:, 2], boxes[:, 1] + boxes[:, 3]
        corners = np.array([[left, right, left, right], [top, top, bottom, bottom]], np.float64).transpose(2, 0, 1)
        matrices = np.array([self._matrix(row, width, height) for row in rows])
        # OpenCV counts from the middle of the first pixel, a box from its outer edge.
        moved = matrices[:, :, :2] @ (corners - 0.5) + matrices[:, :, 2:]
        if self._corners is not None:
            moved = moved[:, :2] / np.maximum(moved[:, 2:], _NEAREST)
        moved += 0.5
        begin, end = (np.clip(edge(moved, axis=2), 0, (width, height)) for edge in (np.min, np.max))
        return np.concatenate([begin, end - begin], axis=1).astype(np.float32)

    def _matrix(self, row: int, width: int, height: int) -> NDArray[np.float64]:
        """Give the matrix that moves an image's points, (x, y) counted from the middle of the first pixel.

        It flips, then shears, turns, zooms, shifts: (2, 3); with perspective at the end (3, 3).
        """
        across, down = (width - 1) / 2, (height - 1) / 2
        scale = self._scale[row] if self._shrunk is None else self._scale[row] * self._shrunk[row]
        matrix: NDArray[np.float64] = cv2.getRotationMatrix2D((across, down), self._degrees[row], scale)
        matrix[:, 2] += (self._right[row] * width, self._down[row] * height)
        if not (self._lean is None and self._flipped is None and self._stretch is None):
            lean = 0.0 if self._lean is None else self._lean[row]
            width_share = 1.0 if self._stretch is None else self._stretch[row]
            if self._flipped is not None and self._flipped[row]:
                width_share = -width_share
            sideways = [width_share, lean, across - width_share * across - lean * down]
            matrix = matrix @ np.array([sideways, [0, 1, 0], [0, 0, 1]])
        if self._corners is not None:
            matrix = self._perspective(self._corners[..., row], width, height) @ np.concatenate([matrix, [[0, 0, 1]]])
        return matrix

    @staticmethod
    def _perspective(shifts: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
        """Give the (3, 3) matrix that brings four points to the image's corners.

        Args:
            shifts: (4, 2) how far each is from its corner, as shares of the width and of the height.
            width: of the image, in pixels.
            height: of the image, in pixels.
        """
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
        near, exact = ((shares * (width, height) - 0.5).astype(np.float32) for shares in (corners + shifts, corners))
        matrix: NDArray[np.float64] = cv2.getPerspectiveTransform(near, exact)
        matrix /= matrix[2] @ [width / 2, height / 2, 1]  # the middle is in front of the eye
        return matrix

    def _tables(self, rows: NDArray[np.int64], channels: int) -> NDArray[np.uint8] | None:
        """Give what each level of light becomes: (n, 1, 256, 1 or channels) uint8; None if it stays as it is."""
        if self._lift is None and self._gain is None and self._inverted is None and self._colour is None:
            return None
        gain = np.ones((1, 1)) if self._gain is None else self._gain[rows, None]
        lift = np.zeros((1, 1)) if self._lift is None else self._lift[rows, None]
        if self._colour is not None:
            gain = gain * (1 + self._colour[0, :channels, rows])
            lift = lift + self._colour[1, :channels, rows]
        if self._inverted is not None:
            sign = np.where(self._inverted[rows], -1.0, 1.0)[:, None]
            gain, lift = gain * sign, lift * sign
        levels = 127.5 + (np.arange(256) - 127.5)[:, None] * gain[:, None, :] + 255 * lift[:, None, :]
        whole = np.broadcast_to(np.clip(np.rint(levels), 0, 255), (len(rows), *levels.shape[1:]))
        return whole[:, None].astype(np.uint8)


def _around(centres: NDArray[np.float64], side: float) -> NDArray[np.float64]:
    """Give top and left, bottom and right of squares, as shares: (2, 2, n) from (2, n)."""
    return np.clip([centres - side / 2, centres + side / 2], 0, 1)


def _fill(image: NDArray[np.uint8], part: NDArray[np.float64]) -> None:
    """Fill a part of an image, its top and left, bottom and right as shares, with the image's mean colour."""
    (top, left), (bottom, right) = np.rint(part * image.shape[:2]).astype(int)
    image[top:bottom, left:right] = np.rint(image.mean(axis=(0, 1)))
