"""The error that a decision may spend, and when validation images count as the same as those of earlier decisions.

A gate that decides night after night on the same images finds a winner in the end, by chance. So the k-th decision on
them spends 6/(π²k²) of the error that the rules allow; these shares add up to 1 over all decisions there will ever be.
"""

from collections.abc import Sequence
from heapq import nsmallest
from math import pi

import numpy as np
from numpy.typing import NDArray

SAME = 0.5
"""Decisions whose images are shared to this extent spend the same budget."""
KEPT = 256
"""How many digests a sketch holds."""
DIGITS = 8
"""How many hexadecimal digits of each."""


def budget_share(number: int) -> float:
    """Give the share of the error that the so-manieth decision on the same images has, counted from 1.

    Example:
        >>> [round(budget_share(number), 3) for number in (1, 2, 3, 4)]
        [0.608, 0.152, 0.068, 0.038]
    """
    return 6 / (pi * number) ** 2


def threshold(error: float, number: int, candidates: int = 1, epochs: int = 1) -> float:
    """Give the p-value below which a gain counts as shown.

    A challenger that was chosen as the best of k candidates pays with a k-th of the error (C. E. Bonferroni, 1936).
    Weights that were chosen as the best of E epochs pay less than for E candidates, because neighbouring epochs are
    alike. How much less was found by simulation, of equal models and a champion that was not chosen on these images
    (`python -m bench gate` repeats the cases of the rule that was taken). With 15, 30 and 60 epochs noise is promoted
    at least once in thirty nights in 17, 22 and 29 % of the cases if nothing is paid, in 6, 7 and 10 % at log2(1 + E),
    in 6, 6 and 8 % at √E, in 5 % or a little more at E^¾ where epochs are little alike, and in 3 to 5 % at (1 + E) / 2.

    Args:
        error: how often equal models may be promoted, over all decisions on the same images.
        number: of the decision on these images, counted from 1.
        candidates: the challenger is the best of so many.
        epochs: its weights are the best of so many.
    """
    return error * budget_share(number) / (candidates * (1 + epochs) / 2)


def sketch(digests: NDArray[np.str_]) -> tuple[str, ...]:
    """Give what a set of images is recognised by: the smallest of their digests, which are as good as drawn by chance.

    By A. Z. Broder, "On the resemblance and containment of documents" (1997).

    Args:
        digests: (n,) the sha256 of each image in hexadecimal digits; of equal ones one counts.

    Returns:
        The first `DIGITS` digits of the `KEPT` smallest, in order.
    """
    return tuple(one[:DIGITS] for one in nsmallest(KEPT, set(digests.tolist())))


def shares_images(one: Sequence[str], other: Sequence[str]) -> float:
    """Estimate which share of the second set's images the first has, from their sketches; exact of small sets.

    Below the last digest of a sketch all of its set are known, so the share is counted below both last ones. Half of
    two sets of a thousand images is found to be 0.5 ± 0.04; where the first set is many times as large as the second,
    fewer images are left to count. If none is, the share is 1: ignorance opens no new budget.

    Args:
        one: the sketch of the first set, such as that of an earlier decision.
        other: the sketch of the second.
    """
    if not one or not other:
        return 0.0
    known = [max(some) for some in (one, other) if len(some) >= KEPT]
    counted = [digest for digest in other if all(digest <= last for last in known)]
    return len(set(one).intersection(counted)) / len(counted) if counted else 1.0


def refresh_advice(number: int, images: int) -> str:
    """Say how much of the error a decision had, and what opens a new budget.

    Args:
        number: of the decision on these images, counted from 1.
        images: how many they are.

    Example:
        >>> print(refresh_advice(4, 300))
        Decision 4 on these images: it had 3.8% of the error that the rules allow. A new budget begins with new images:
        with more than 150 of these 300 replaced by new ones, or more than 300 new ones beside them.
    """
    had = (
        f"Decision {number} on these images: it had {_percent(budget_share(number))} of the error that the rules allow."
    )
    replaced, added = int(images * (1 - SAME)), int(images * (1 - SAME) / SAME)
    return (
        f"{had} A new budget begins with new images: with more than {replaced:,} of these {images:,} replaced by new "
        f"ones, or more than {added:,} new ones beside them."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%"
