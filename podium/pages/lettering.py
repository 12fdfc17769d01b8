"""Many short texts in matplotlib, as outlines that are drawn at once: it takes a tenth of the time."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray


def write_all(
    axes: Axes,
    places: NDArray[np.float64],
    texts: Sequence[str],
    size: float,
    colours: Sequence[str],
    at: float,
) -> None:
    """Write texts, such as numbers, in one line each and with no mathematics in them.

    Args:
        axes: where.
        places: (n, 2) left and top of each, in the axes' data.
        texts: what.
        size: points.
        colours: of each.
        at: what of a text stands at its place: 0 its left end, 0.5 its middle. Upright it is the middle of a digit.
    """
    if not texts:
        return
    outlines = {text: _outline(text, at) for text in dict.fromkeys(texts)}
    letters = PathCollection(
        [outlines[text] for text in texts],
        offsets=places,
        offset_transform=axes.transData,
        facecolors=list(colours),
        linewidths=0,
        clip_on=False,
        zorder=3,
    )
    letters.set_transform(Affine2D().scale(size / text_to_path.FONT_SCALE * axes.figure.dpi / 72))
    axes.add_collection(letters, autolim=False)


def _outline(text: str, at: float) -> Path:
    font = FontProperties()
    corners, codes = text_to_path.get_text_path(font, text)
    digit, _ = text_to_path.get_text_path(font, "0")
    points, height = np.array(corners).reshape(-1, 2), np.ptp(np.array(digit)[:, 1])
    return Path(points - [at * np.max(points[:, 0], initial=0), height / 2], codes)
