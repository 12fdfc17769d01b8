"""Ranks of models that saw the same images, and what the ranks are worth.

The highest of many measured figures is the highest partly by chance: of these images, and of the seeds that the models
were trained with. So there are two answers beside the order.

How likely each is the best: images (whole groups of near-duplicates) are drawn again and again, the same for all, and
the seeds' part is drawn from Student's t with the spread that the seeds show; the answer is in how many draws each
comes out first. Where several do, they share it.

Which cannot be told apart from the best: one is left out if any other is shown to be better, by a paired one-sided test
at 0.05 / (k - 1). The truly best one has k - 1 others to be beaten by, so it is left out in 5 of 100 cases at most,
whichever it is (S. S. Gupta's subset selection, "On some multiple decision (selection and ranking) rules",
Technometrics 7, 1965, with Bonferroni's bound).

With one seed the question is about these trained models; with several it is about what their choices give on average
over seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from podium.errors import PodiumError
from podium.evaluation.intervals import LEVEL, Estimate, Floats, estimate_proportion
from podium.evaluation.paired import Difference, compare_hits
from podium.evaluation.resampling import Resamples

ALPHA = 1 - LEVEL
"""How often the truly best one may be left out of the set."""
DRAWS = 2000
_LEAST = 1e-4
"""Even who is always right is not so with every seed."""


@dataclass(frozen=True)
class Entrant:
    """One that is ranked.

    Attributes:
        name: for people.
        scores: (seeds, images): what each image adds to the mean, for each seed; the higher, the better.
    """

    name: str
    scores: Floats

    @property
    def mean(self) -> Floats:
        """The mean over seeds, of each image."""
        means: Floats = self.scores.mean(axis=0)
        return means


@dataclass(frozen=True)
class Standing:
    """Where one stands.

    Attributes:
        name: the entrant's.
        estimate: its mean score.
        seeds: how many there were.
        spread: the standard deviation over seeds; None for one seed.
        chance: how likely it is the best, 0–1.
        is_open: it cannot be told apart from the best.
        behind: its mean score less the first one's; None for the first one itself.
    """

    name: str
    estimate: Estimate
    seeds: int
    spread: float | None
    chance: float
    is_open: bool
    behind: Difference | None


@dataclass(frozen=True)
class Ranking:
    """All of them, the best first.

    Attributes:
        standings: the highest mean score first.
        images: on how many images.
        groups: of near-duplicates, how many.
    """

    standings: tuple[Standing, ...]
    images: int
    groups: int

    @property
    def open(self) -> tuple[Standing, ...]:
        """Those that cannot be told apart from the best."""
        return tuple(one for one in self.standings if one.is_open)


def rank(entrants: Sequence[Entrant], groups: NDArray[np.int64]) -> Ranking:
    """Rank models on the same images.

    Args:
        entrants: at least one.
        groups: (images,) the group of near-duplicates of each image.

    Raises:
        PodiumError: they did not see the same images.
    """
    for one in entrants:
        if one.scores.shape[1] != len(groups):
            raise PodiumError(
                f"{one.name} was measured on {one.scores.shape[1]:,} images, the others on {len(groups):,}: they are "
                "of different versions of the dataset. Start the sweep again."
            )
    seeds = _Seeds(entrants)
    order = sorted(range(len(entrants)), key=lambda place: -float(entrants[place].mean.mean()))
    ordered = [entrants[place] for place in order]
    chances = _chances(ordered, groups, seeds)
    limit = ALPHA / max(1, len(ordered) - 1)
    standings = []
    for place, one in enumerate(ordered):
        behind = _compare(ordered[0], one, groups, seeds) if place else None
        beaten = any(_is_better(other, one, groups, seeds, limit) for other in ordered if other is not one)
        standings.append(
            Standing(
                name=one.name,
                estimate=_estimate(one, groups, seeds),
                seeds=len(one.scores),
                spread=float(one.scores.mean(axis=1).std(ddof=1)) if len(one.scores) > 1 else None,
                chance=chances[place],
                is_open=not beaten,
                behind=behind,
            )
        )
    return Ranking(tuple(standings), len(groups), len(np.unique(groups)))


class _Seeds:
    """How much the mean scores of an entrant differ from seed to seed.

    Each has few seeds, so what they show is put together: as a share of what the score allows, since models that are
    nearly always right differ less than those that are right half the time.
    """

    def __init__(self, entrants: Sequence[Entrant]) -> None:
        several = [one for one in entrants if len(one.scores) > 1]
        self.freedom = sum(len(one.scores) - 1 for one in several)
        squares = [float(np.var(one.scores.mean(axis=1))) * len(one.scores) / _allowed(one) for one in several]
        self.share = sum(squares) / self.freedom if self.freedom else 0.0

    def of(self, one: Entrant) -> float:
        """Give the variance of an entrant's mean score by its seeds."""
        return self.share * _allowed(one) / len(one.scores)


def _allowed(one: Entrant) -> float:
    """Give what the variance of a mean score grows with: p(1 - p) of shares, its square of anything else."""
    value = float(one.mean.mean())
    return max(value * (1 - value) if one.scores.min() >= 0 and one.scores.max() <= 1 else value**2, _LEAST)


def _chances(ordered: Sequence[Entrant], groups: NDArray[np.int64], seeds: _Seeds) -> list[float]:
    means = Resamples(groups, DRAWS).draw_means(np.stack([one.mean for one in ordered]))
    if seeds.freedom:
        noise = np.random.default_rng(0).standard_t(seeds.freedom, means.shape)
        means = means + noise * np.sqrt([seeds.of(one) for one in ordered])
    first = means >= means.max(axis=1, keepdims=True) - 1e-12
    shares: Floats = (first / first.sum(axis=1, keepdims=True)).mean(axis=0)
    return [float(share) for share in shares]


def _is_hits(one: Entrant) -> bool:
    return len(one.scores) == 1 and bool(np.isin(one.scores, (0.0, 1.0)).all())


def _is_better(one: Entrant, other: Entrant, groups: NDArray[np.int64], seeds: _Seeds, limit: float) -> bool:
    """Say whether one is shown to be better than another; the exact test is asked only where it may say so."""
    if one.mean.mean() <= other.mean.mean():
        return False
    if _is_hits(one) and _is_hits(other) and not seeds.freedom:
        return compare_hits(other.scores[0] > 0, one.scores[0] > 0, groups, "better").p_value < limit
    value, variance, freedom = _spread(one.mean - other.mean, groups, seeds.of(one) + seeds.of(other), seeds.freedom)
    return _tail(value, variance, freedom) < limit


def _compare(first: Entrant, other: Entrant, groups: NDArray[np.int64], seeds: _Seeds) -> Difference:
    if _is_hits(first) and _is_hits(other) and not seeds.freedom:
        return compare_hits(first.scores[0] > 0, other.scores[0] > 0, groups)
    value, variance, freedom = _spread(
        other.mean - first.mean, groups, seeds.of(first) + seeds.of(other), seeds.freedom
    )
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * variance**0.5
    p_value = min(1.0, 2 * _tail(abs(value), variance, freedom))
    return Difference(value, value - half, value + half, p_value, "Student's t, of groups and seeds")


def _estimate(one: Entrant, groups: NDArray[np.int64], seeds: _Seeds) -> Estimate:
    if _is_hits(one) and not seeds.freedom:
        return estimate_proportion(one.scores[0] > 0, groups)
    value, variance, freedom = _spread(one.mean, groups, seeds.of(one), seeds.freedom)
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * variance**0.5
    return Estimate(value, value - half, value + half, "Student's t, of groups and seeds")


def _spread(scores: Floats, groups: NDArray[np.int64], of_seeds: float, freedom: int) -> tuple[float, float, float]:
    """Give a mean, its variance by images and seeds, and F. E. Satterthwaite's degrees of freedom (1946)."""
    _, members = np.unique(groups, return_inverse=True)
    sizes, count, value = np.bincount(members), len(scores), float(scores.mean())
    off = np.bincount(members, weights=scores) - sizes * value
    several = max(2, len(sizes))
    of_images = several / (several - 1) * float((off**2).sum()) / count**2
    total = of_images + of_seeds
    parts = of_images**2 / (several - 1) + (of_seeds**2 / freedom if freedom else 0.0)
    return value, total, total**2 / parts if parts > 0 else float(several - 1)


def _tail(value: float, variance: float, freedom: float) -> float:
    """Give how often two equal ones would differ by so much or more, one way."""
    if variance <= 0:
        return 0.5
    return float(stdtr(freedom, -value / variance**0.5))
