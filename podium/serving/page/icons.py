"""The page's icon, as a phone shows it among its programs: a podium of three steps."""

import io

from PIL import Image, ImageDraw

_PAPER, _STEPS = "#0b5f86", ("#bcd9e6", "#ffffff", "#8fbfd4")
_HEIGHTS = (0.24, 0.38, 0.16)
"""Of the second, the first and the third place, as parts of the icon's side."""
_SMOOTH = 4
"""Drawn so many times larger, and reduced."""


def draw_icon(side: int) -> bytes:
    """Give a PNG of side × side pixels; what matters lies in the middle, so that a phone may cut it round."""
    large = side * _SMOOTH
    icon = Image.new("RGB", (large, large), _PAPER)
    pen = ImageDraw.Draw(icon)
    width, left, floor = large * 0.18, large * 0.23, large * 0.69
    for step, (height, colour) in enumerate(zip(_HEIGHTS, _STEPS, strict=True)):
        start = left + step * width
        pen.rectangle((round(start), round(floor - height * large), round(start + width) - 1, round(floor)), colour)
    file = io.BytesIO()
    icon.resize((side, side), Image.Resampling.LANCZOS).save(file, "PNG", optimize=True)
    return file.getvalue()
