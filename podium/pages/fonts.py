"""Letters on drawn images."""

from pathlib import Path

from matplotlib import get_data_path
from PIL import ImageFont


def open_font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Open a font of matplotlib's, such as `DejaVuSans`: it has many scripts, and is there wherever podium is."""
    return ImageFont.truetype(Path(get_data_path()) / "fonts" / "ttf" / f"{name}.ttf", size)
