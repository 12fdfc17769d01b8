"""How fast a runtime answers about one image."""

import time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from podium.serving.export.target import Runner

WARM_UP: Final = 3
CALLS: Final = 20
"""That are timed."""


def time_runner(runner: Runner, image: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Time single images.

    Args:
        runner: asked a few times before, uncounted.
        image: (1, height, width, channels) uint8.

    Returns:
        Milliseconds: the median, the lower and the upper quartile.
    """
    taken = []
    for call in range(WARM_UP + CALLS):
        begin = time.perf_counter()
        runner.predict_on_batch(image)
        if call >= WARM_UP:
            taken.append(1000 * (time.perf_counter() - begin))
    low, middle, high = np.percentile(taken, [25, 50, 75])
    return float(middle), float(low), float(high)
