"""Putting things in an order in which those that are alike stand together."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def seriate(likeness: NDArray[np.float64], largest: int) -> list[Ints]:
    """Group things by likeness, and put each group in an order in which neighbours are alike.

    Groups grow as in average linkage (R. Sokal and C. Michener, "A statistical method for evaluating systematic
    relationships", 1958), but not above a size; where two are joined, the ends that are most alike touch.

    Args:
        likeness: (n, n), symmetric, 0 where two have nothing in common. It takes n³ steps: of a thousand, seconds.
        largest: things in a group.

    Returns:
        The numbers of each group's things; a thing that is like no other is a group of its own. They come in the
        order of their first things' numbers.

    Example:
        >>> likeness = np.array([[0, 0, 2], [0, 0, 0], [2, 0, 0]])
        >>> [group.tolist() for group in seriate(likeness, 3)]
        [[0, 2], [1]]
    """
    count = len(likeness)
    groups: list[Ints] = [np.array([number]) for number in range(count)]
    sizes, joint = np.ones(count), np.array(likeness, np.float64)
    np.fill_diagonal(joint, 0)
    alive = np.ones(count, bool)
    while True:
        means = joint / np.outer(sizes, sizes)
        means[np.add.outer(sizes, sizes) > largest] = 0
        one, two = divmod(int(means.argmax()), count) if count else (0, 0)
        if not count or means[one, two] <= 0:
            break
        groups[one] = _join(groups[one], groups[two], likeness)
        joint[one] += joint[two]
        joint[:, one] += joint[:, two]
        joint[one, one] = 0
        joint[two], joint[:, two] = 0, 0
        sizes[one] += sizes[two]
        alive[two] = False
    return sorted((groups[number] for number in np.flatnonzero(alive)), key=min)


def _join(one: Ints, two: Ints, likeness: NDArray[np.float64]) -> Ints:
    """Put one group behind the other, either of them turned round if its other end fits better."""
    ways = [(first, second) for first in (one, one[::-1]) for second in (two, two[::-1])]
    best = max(ways, key=lambda way: float(likeness[way[0][-1], way[1][0]]))
    return np.concatenate(best)
