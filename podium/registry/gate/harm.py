"""The veto: classes on which the challenger is shown to be worse than the champion."""

import numpy as np

from podium.evaluation.paired import adjust_for_number, turn_signs
from podium.registry.decision import Harm, Pairs


def find_harms(pairs: Pairs, error: float) -> tuple[Harm, ...]:
    """Find the classes whose recall is lower, the surest first.

    Each is tested as accuracies are, by groups of near-duplicates and one-sided; S. Holm's correction pays for all
    classes that have images. So equal models show harm at most as often as the error says, which is not shared with
    other decisions: a veto promotes nobody. (To ask of each class that harm be ruled out would block everything.)

    Args:
        pairs: what both said of the images.
        error: how often equal models may show harm.
    """
    right = [some.predicted == pairs.labels for some in (pairs.champion, pairs.challenger)]
    surplus = right[1].astype(np.int64) - right[0]
    images, *hits = (np.bincount(pairs.labels, some, len(pairs.classes)) for some in (None, *right))
    _, members = np.unique(pairs.groups, return_inverse=True)
    count = int(members.max()) + 1
    parts, where = np.unique(pairs.labels * count + members, return_inverse=True)
    by_part = np.rint(np.bincount(where, surplus)).astype(np.int64)
    ends = np.searchsorted(parts // count, np.arange(len(pairs.classes) + 1))
    there, worse = np.flatnonzero(images), hits[1] < hits[0]
    chances = [
        turn_signs(-by_part[ends[place] : ends[place + 1]], "better") if worse[place] else 1.0 for place in there
    ]
    adjusted = adjust_for_number(chances)
    harms = [
        Harm(
            name=pairs.classes[place],
            champion=float(hits[0][place] / images[place]),
            challenger=float(hits[1][place] / images[place]),
            images=int(images[place]),
            p_value=p_value,
            shown=p_value <= error,
        )
        for place, p_value in zip(there.tolist(), adjusted, strict=True)
        if worse[place]
    ]
    return tuple(sorted(harms, key=lambda one: (one.p_value, one.challenger - one.champion)))
