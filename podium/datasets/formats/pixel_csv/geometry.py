"""Which columns of a table are pixels, and what image they make: told by their names, and by how smooth images are."""

import re
from collections import defaultdict
from collections.abc import Sequence
from math import isqrt, prod

import numpy as np
from numpy.typing import NDArray

from podium.datasets.formats.pixel_csv.table import Shape, in_order

MIN_PIXELS = 16
"""Pixels of the smallest image."""
CLEARLY = 0.85
"""Of two orders of channels, one is the right one if its images are smoother by this factor."""
_COLOURS = {"r": 0, "red": 0, "g": 1, "green": 1, "b": 2, "blue": 2}


def pixel_columns(columns: Sequence[str]) -> tuple[list[str], Shape | None]:
    """Find the columns whose names differ by numbers only.

    Returns:
        The columns in the order of the image, and its shape if the names say it: by rows and columns (`1x1`, `1x2`),
        or by colours (`r0`, `g0`, `b0`).
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for column in columns:
        if re.search(r"\d", column):
            alike[re.sub(r"\d+", "#", column)].append(column)
    if not alike:
        return [], None
    colours = {skeleton: _COLOURS.get(re.sub(r"[^a-z]+|(pixel|px)(?=.)", "", skeleton.lower())) for skeleton in alike}
    coloured = [name for name, colour in colours.items() if colour is not None and len(alike[name]) >= MIN_PIXELS]
    if sorted(colours[name] or 0 for name in coloured) == [0, 1, 2]:
        return _by_colours(columns, {column: colours[name] or 0 for name in coloured for column in alike[name]})
    group = max(alike.values(), key=len)
    return in_order(group), _by_grid(group)


def _by_colours(columns: Sequence[str], colours: dict[str, int]) -> tuple[list[str], Shape | None]:
    pixels = [column for column in columns if column in colours]
    sequence = [colours[column] for column in pixels]
    side = isqrt(len(pixels) // 3)
    if 3 * side**2 != len(pixels):
        return pixels, None
    for planar, right in ((False, [0, 1, 2] * side**2), (True, sorted(sequence))):
        if sequence == right:
            return pixels, Shape(side, side, 3, planar)
    return pixels, None


def _by_grid(columns: Sequence[str]) -> Shape | None:
    """Give the shape that names with two or three numbers say, if they are a grid's, in its order."""
    keys = [tuple(int(number) for number in re.findall(r"\d{1,9}", column)) for column in columns]
    moving = [place for place in range(len(keys[0])) if len({key[place] for key in keys}) > 1]
    keys = [tuple(key[place] for place in moving) for key in keys]
    sizes = [len({key[place] for key in keys}) for place in range(len(moving))]
    if len(sizes) not in (2, 3) or prod(sizes) != len(keys) or keys != sorted(set(keys)):
        return None
    match sizes:
        case [height, width] | [height, width, 1]:
            return Shape(height, width)
        case [height, width, 3]:
            return Shape(height, width, 3)
        case [3, height, width]:
            return Shape(height, width, 3, planar=True)
    return None


def square(count: int) -> Shape | None:
    """Give the square that so many pixels make, of one channel or of three; None if they make none."""
    if count < MIN_PIXELS:
        return None
    if isqrt(count) ** 2 == count:
        return Shape(isqrt(count), isqrt(count))
    if count % 3 == 0 and isqrt(count // 3) ** 2 == count // 3:
        return Shape(isqrt(count // 3), isqrt(count // 3), 3)
    return None


def tell_order(shape: Shape, pixels: NDArray[np.uint8]) -> tuple[Shape, bool]:
    """Tell the order of three channels by which gives the smoother images.

    Args:
        shape: of the images.
        pixels: of a few (n, pixels).

    Returns:
        The shape in the better order, and whether it is clearly better.
    """
    orders = [Shape(shape.height, shape.width, 3, planar) for planar in (False, True)]
    if not len(pixels):
        return orders[0], False
    rough = [_roughness(order, pixels) for order in orders]
    better = int(rough[1] < rough[0])
    return orders[better], min(rough) < CLEARLY * max(rough)


def _roughness(shape: Shape, pixels: NDArray[np.uint8]) -> float:
    images = np.stack([shape.image(row) for row in pixels]).astype(np.int16)
    return float(sum(np.abs(np.diff(images, axis=axis)).mean() for axis in (1, 2)))
