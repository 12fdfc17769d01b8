"""Pixels brought to the size and the channels of the arrays; and where a box of the image lies then."""

from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray


class Target(Protocol):
    """What images are brought to; `podium.config.datasets.Image` is one."""

    @property
    def height(self) -> int:
        """Pixels."""

    @property
    def width(self) -> int:
        """Pixels."""

    @property
    def channels(self) -> Literal[1, 3]:
        """Gray, or red, green and blue."""

    @property
    def resize(self) -> Literal["stretch", "pad", "crop"]:
        """How images of another shape are resized: distorted, whole with black borders, or the middle."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""


def fit(pixels: NDArray[np.uint8], image: Target) -> NDArray[np.uint8]:
    """Bring an image to the asked size and number of channels.

    Args:
        pixels: (height, width, 1 or 3) uint8; three channels are red, green, blue.
        image: the size to reach, and how. Growing is bilinear; shrinking averages the area.

    Returns:
        (image.height, image.width, image.channels) uint8.

    Example:
        >>> from podium.config.datasets import Image
        >>> photo = np.full((60, 80, 3), 255, np.uint8)
        >>> padded = fit(photo, Image(height=40, width=40, channels=1, resize="pad"))
        >>> padded.shape, int(padded[20, 20, 0]), int(padded[0, 0, 0])
        ((40, 40, 1), 255, 0)
    """
    if pixels.shape == image.shape:
        return pixels
    if pixels.shape[2] == 3 and image.channels == 1:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., np.newaxis]
    place = Placement.of(pixels.shape[1], pixels.shape[0], image)
    pixels = pixels[place.from_top :, place.from_left :][: place.from_height, : place.from_width]
    if (place.from_width, place.from_height) != (place.to_width, place.to_height):
        shrinks = place.to_width * place.to_height < place.from_width * place.from_height
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = cv2.resize(np.ascontiguousarray(pixels), (place.to_width, place.to_height), interpolation=how)
        pixels = resized.reshape(place.to_height, place.to_width, -1)
    if pixels.shape[:2] != (image.height, image.width):
        framed = np.zeros((image.height, image.width, pixels.shape[2]), dtype=np.uint8)
        framed[place.to_top :, place.to_left :][: place.to_height, : place.to_width] = pixels
        pixels = framed
    return np.repeat(pixels, image.channels, axis=2) if pixels.shape[2] < image.channels else pixels


@dataclass(frozen=True, slots=True)
class Placement:
    """Which rectangle of an image becomes which rectangle of the array; whole pixels."""

    from_left: int
    from_top: int
    from_width: int
    from_height: int
    to_left: int
    to_top: int
    to_width: int
    to_height: int

    @classmethod
    def of(cls, width: int, height: int, image: Target) -> "Placement":
        """Place an image of `width` × `height` pixels in an array."""
        match image.resize:
            case "stretch":
                return cls(0, 0, width, height, 0, 0, image.width, image.height)
            case "pad":
                scale = min(image.width / width, image.height / height)
                to_width, to_height = max(1, round(width * scale)), max(1, round(height * scale))
                left, top = (image.width - to_width) // 2, (image.height - to_height) // 2
                return cls(0, 0, width, height, left, top, to_width, to_height)
            case "crop":
                scale = max(image.width / width, image.height / height)
                from_width = min(width, max(1, round(image.width / scale)))
                from_height = min(height, max(1, round(image.height / scale)))
                left, top = (width - from_width) // 2, (height - from_height) // 2
                return cls(left, top, from_width, from_height, 0, 0, image.width, image.height)

    def move(self, box: tuple[float, float, float, float], image: Target) -> tuple[float, float, float, float]:
        """Move a box (left, top, width, height) along; what leaves the array is cut off."""
        across, down = self.to_width / self.from_width, self.to_height / self.from_height
        left, top = (box[0] - self.from_left) * across + self.to_left, (box[1] - self.from_top) * down + self.to_top
        right, bottom = left + box[2] * across, top + box[3] * down
        left, right = np.clip((left, right), 0, image.width)
        top, bottom = np.clip((top, bottom), 0, image.height)
        return float(left), float(top), float(right - left), float(bottom - top)

    def move_back(self, edges: NDArray[np.floating]) -> NDArray[np.float64]:
        """Move edges (left, top, right, bottom) in the array's pixels to the image's own pixels; nothing is cut off."""
        scale = np.array([self.from_width / self.to_width, self.from_height / self.to_height] * 2)
        begin, own = np.array([self.to_left, self.to_top] * 2), np.array([self.from_left, self.from_top] * 2)
        moved: NDArray[np.float64] = (edges - begin) * scale + own
        return moved
