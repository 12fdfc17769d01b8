"""The score of a difference of two paired shares, and the interval and the test that follow from it.

By T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
Statistics in Medicine 17, 1998. Counts need not be whole: images that are alike count as their effective number.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

_EDGE = 1e-9
"""How near to −1 and 1 a difference is looked for."""


def score(better: float, worse: float, count: float, difference: float) -> float:
    """Give how many standard errors (better − worse) / count lies above a difference, if that is the true one.

    Args:
        better: images on which the second model is right and the first is not.
        worse: the other way round.
        count: all images.
        difference: between −1 and 1.
    """
    ahead = better - worse - count * difference
    double, middle = 2 * count, -better - worse + (2 * count - better + worse) * difference
    last = -worse * difference * (1 - difference)
    share = (np.sqrt(max(middle**2 - 4 * double * last, 0)) - middle) / (2 * double)
    variance = count * (2 * share + difference * (1 - difference))
    return float(ahead / np.sqrt(max(variance, _EDGE**2)))


def interval(better: float, worse: float, count: float, quantile: float) -> tuple[float, float]:
    """Give the two differences whose scores are plus and minus a quantile of the normal distribution."""
    mean = (better - worse) / count
    lowest, highest = _EDGE - 1, 1 - _EDGE

    def above(difference: float) -> float:
        return score(better, worse, count, difference) - quantile

    def below(difference: float) -> float:
        return score(better, worse, count, difference) + quantile

    low = -1.0 if above(lowest) <= 0 else brentq(above, lowest, mean)
    high = 1.0 if below(highest) >= 0 else brentq(below, mean, highest)
    return float(low), float(high)


def not_worse(better: float, worse: float, count: float, margin: float) -> float:
    """Give how often a second model that is worse by the margin would do as well as this one or better; one-sided."""
    return float(ndtr(-score(better, worse, count, -min(margin, 1 - _EDGE))))
