"""Intervals of any figure by drawing again: a bootstrap of whole groups of near-duplicates.

numpy draws and scipy.special gives the quantiles; scipy.stats has a bootstrap, but it knows no groups.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from podium.evaluation.intervals import LEVEL, Estimate, Floats, Z

FEWEST = 10
"""Of fewer groups no bootstrap says anything: of six images it may end an interval of a loss in the millions."""
CELLS = 2_000_000
"""Weights that are in memory at a time: 16 MB."""
LEFT_OUT = 200
"""Blocks of groups that BCa leaves out in turn."""


class Resamples:
    """The same groups drawn again and again, with replacement: a cluster bootstrap, the same at every run."""

    def __init__(self, groups: NDArray[np.int64], count: int = 1000, seed: int = 0) -> None:
        """Take the groups of the images (n,), how often to draw, and the seed."""
        _, self._inverse = np.unique(groups, return_inverse=True)
        self._groups = int(self._inverse.max(initial=-1)) + 1
        self._count = count
        self._seed = seed

    def interval(self, value: float, statistic: Callable[[Floats], Floats]) -> Estimate:
        """Give a figure its interval: B. Efron's BCa ("Better bootstrap confidence intervals", 1987).

        Args:
            value: the figure on the images themselves.
            statistic: gives (b,) figures for (b, n) weights: how often each image was drawn. Twice the weights must
                give the same figure. Figures that are not finite are left out.

        Returns:
            The figure; without an interval where there are fewer than `FEWEST` groups or no resample differs.
        """
        if self._groups < FEWEST:
            return Estimate(value)
        values = np.concatenate([statistic(counts[:, self._inverse]) for counts in self._draw()])
        values = values[np.isfinite(values)]
        if not len(values) or np.all(values == values[0]):
            return Estimate(value)
        share = (np.mean(values < value) + np.mean(values <= value)) / 2
        bias = ndtri(np.clip(share, 1 / len(values), 1 - 1 / len(values)))
        shifted = bias + Z * np.array([-1, 1])
        low, high = np.quantile(values, ndtr(bias + shifted / (1 - self._acceleration(statistic) * shifted)))
        return Estimate(value, float(min(low, value)), float(max(high, value)), "cluster bootstrap")

    def means(self, scores: Floats, most: Floats) -> list[Estimate]:
        """Give means their intervals: a bootstrap of Student's t, which holds the truth where few scores are large.

        Args:
            scores: (k, n) what each image adds to each mean, such as its loss, and never below 0.
            most: (k,) what no mean lies above.

        Returns:
            The k means; one without an interval where there are fewer than `FEWEST` groups or no score differs.
        """
        values = scores.mean(axis=1)
        sizes = np.bincount(self._inverse).astype(np.float64)
        sums = [np.bincount(self._inverse, weights=column) for column in scores - values[:, np.newaxis]]
        parts = [sizes, sizes**2, *(part for total in sums for part in (total, sizes * total, total**2))]
        if self._groups < FEWEST:
            return [Estimate(float(value)) for value in values]
        drawn = np.concatenate([counts @ np.stack(parts, axis=1) for counts in self._draw()])
        estimates = []
        for column, value in enumerate(values.tolist()):
            total, crossed, squared = drawn[:, 2 + 3 * column : 5 + 3 * column].T
            off = total / drawn[:, 0]
            error = np.sqrt(np.maximum(squared - 2 * off * crossed + off**2 * drawn[:, 1], 0)) / drawn[:, 0]
            ours = np.sqrt(np.sum(sums[column] ** 2)) / scores.shape[1]
            several = error > 1e-9 * ours
            if ours <= 1e-9 * abs(value) or not several.any():
                estimates.append(Estimate(value))
                continue
            ends = np.quantile(off[several] / error[several], [(1 + LEVEL) / 2, (1 - LEVEL) / 2])
            unit = ours * np.sqrt(self._groups / (self._groups - 1))
            low, high = value - max(ends[0], 0) * unit, value - min(ends[1], 0) * unit
            estimates.append(Estimate(value, float(max(0, low)), float(min(most[column], high)), "cluster bootstrap"))
        return estimates

    def draw_means(self, scores: Floats) -> Floats:
        """Give the means (count, k) of scores (k, n) in each resample: the same groups are drawn for all of them."""
        parts = [np.bincount(self._inverse, weights=row) for row in (np.ones(scores.shape[1]), *scores)]
        drawn = np.concatenate([counts @ np.stack(parts, axis=1) for counts in self._draw()])
        means: Floats = drawn[:, 1:] / drawn[:, :1]
        return means

    def _draw(self) -> Iterator[Floats]:
        """Give the resamples in blocks: (b, groups) how often each group was drawn."""
        generator = np.random.default_rng(self._seed)
        step = max(1, CELLS // max(self._groups, len(self._inverse)))
        for begin in range(0, self._count, step):
            rows = min(step, self._count - begin)
            drawn = generator.integers(0, self._groups, (rows, self._groups))
            drawn += np.arange(rows)[:, np.newaxis] * self._groups
            counts = np.bincount(drawn.ravel(), minlength=rows * self._groups)
            yield counts.reshape(rows, self._groups).astype(np.float64)

    def _acceleration(self, statistic: Callable[[Floats], Floats]) -> float:
        """Give how much the figure's error depends on the figure: the skewness of leaving blocks of groups out."""
        blocks = min(self._groups, LEFT_OUT)
        block = np.random.default_rng(self._seed).permutation(self._groups)[self._inverse] % blocks
        step = max(1, CELLS // len(block))
        rows = [np.arange(begin, min(begin + step, blocks)) for begin in range(0, blocks, step)]
        values = np.concatenate([statistic((block != some[:, np.newaxis]).astype(np.float64)) for some in rows])
        off = np.mean(values[np.isfinite(values)]) - values[np.isfinite(values)]
        square = np.sum(off**2)
        return float(np.sum(off**3) / (6 * square**1.5)) if square > 0 else 0.0
