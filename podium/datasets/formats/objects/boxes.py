"""From a box as an annotation gives it to one in pixels of the image as people see it."""

from podium.datasets.formats.example import Box
from podium.datasets.formats.objects.tally import Tally
from podium.images.decoding import read_header
from podium.images.opening import BadImageError

_TURNED = (5, 6, 7, 8)
"""Orientations whose width is the stored height."""


def place(box: Box, tally: Tally, data: bytes) -> Box | None:
    """Give a box in pixels of the image as it is seen, upright.

    A camera may store an image lying on its side, with a mark that says so. Boxes are taken as drawn on the upright
    image, unless the size that the annotation gives is that of the stored one alone.

    Args:
        box: as the annotation gives it.
        tally: the annotation.
        data: the image's file. Of it, no more than the header is looked at.

    Returns:
        The box; None if it was drawn on an image of another size, so that nobody knows where it is.
    """
    if not tally.shares and tally.size is None:
        return box
    try:
        width, height, orientation = read_header(data)
    except BadImageError:  # validation will say so
        return None
    upright = (height, width) if orientation in _TURNED else (width, height)
    if tally.shares:
        left, top, wide, high = box
        return (left * upright[0], top * upright[1], wide * upright[0], high * upright[1])
    if tally.size == upright:
        return box
    return turn(box, (width, height), orientation) if tally.size == (width, height) else None


def turn(box: Box, size: tuple[int, int], orientation: int) -> Box:
    """Turn a box as its image is turned upright.

    Args:
        box: in the stored image.
        size: the stored image's width and height, in pixels.
        orientation: 1 to 8, as EXIF numbers them.

    Example:
        >>> turn((0, 0, 10, 20), (100, 50), 6)
        (30, 0, 20, 10)
    """
    left, top, width, height = box
    right, bottom = size[0] - left - width, size[1] - top - height
    return {
        2: (right, top, width, height),
        3: (right, bottom, width, height),
        4: (left, bottom, width, height),
        5: (top, left, height, width),
        6: (bottom, left, height, width),
        7: (bottom, right, height, width),
        8: (top, right, height, width),
    }.get(orientation, box)
