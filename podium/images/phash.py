"""The perceptual hash (DCT): 256 bits that stay nearly the same when an image is saved again, resized or brightened.

A bit is the sign of one of the image's lowest 16 × 16 cosine coefficients. A flipped image has the same
coefficients, every second one with the other sign, so that its hash is known without looking at it.
"""

from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HASH_SIDE = 16
HASH_BITS = HASH_SIDE * HASH_SIDE
HASH_WORDS = HASH_BITS // 64
MIN_COEFFICIENT = 0.001
"""Gray values: a smaller coefficient is no structure but rounding, and its bit is 0."""


def perceptual_hash(gray: NDArray[np.uint8]) -> str:
    """Give an image's perceptual hash, in hexadecimal.

    Args:
        gray: (height, width) uint8, of any size.

    Returns:
        64 hexadecimal digits. The first bit, of the image's mean, is 0. An image of one colour has zeros alone.
    """
    height, width = gray.shape
    coefficients = _waves(height) @ gray.astype(np.float32) @ _waves(width).T
    coefficients[0, 0] = 0
    return np.packbits(coefficients > MIN_COEFFICIENT).tobytes().hex()


def unpack(hashes: pd.Series) -> NDArray[np.uint64]:
    """Give hashes in hexadecimal as (n, 4) uint64, bits in the order of the digits."""
    digits = np.frombuffer("".join(hashes.tolist()).encode("ascii"), np.uint8)
    values = np.where(digits < ord("a"), digits - ord("0"), digits - (ord("a") - 10)).astype(np.uint8)
    return (values[::2] << 4 | values[1::2]).view(">u8").astype(np.uint64).reshape(-1, HASH_WORDS)


def flipped(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Give the hashes (n, 4) that the images would have if left and right were exchanged."""
    odd_columns = np.tile(np.arange(HASH_SIDE) % 2, HASH_SIDE).astype(bool)
    return hashes ^ np.packbits(odd_columns).view(">u8").astype(np.uint64)


@lru_cache(maxsize=256)
def _waves(length: int) -> NDArray[np.float32]:
    """Give (16, length): cosines of 0 to 15 half turns over the length, each averaged over every pixel."""
    edges = np.arange(length + 1) / length
    turns = np.pi * np.arange(1, HASH_SIDE)[:, np.newaxis]
    areas = np.diff(np.sin(turns * edges) / turns, axis=1) * np.sqrt(2)
    return np.vstack([np.full((1, length), 1 / length), areas]).astype(np.float32)
