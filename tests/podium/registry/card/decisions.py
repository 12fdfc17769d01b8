"""Made-up decisions, and the answers that they are about."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.config import Gate
from podium.evaluation.paired import compare_hits
from podium.registry.decision import Answers, Context, Decision, Floor, Harm, Measures, Pairs, Test
from podium.registry.kept import KeptDecision

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
OWN = Measures({"accuracy": 0.9717, "macro_f1": 0.9711, "loss": 0.1312}, 0.0134, 1_250_000, 3.2, 412.0, "a machine")
OTHER = Measures({"accuracy": 0.9467, "macro_f1": 0.9459, "loss": 0.2210}, 0.0201, 480_000, 2.1, 395.0, "a machine")


def make_pairs(
    images: int = 600, classes: tuple[str, ...] = CLASSES, hits: tuple[float, float] = (0.9, 0.97), **more: Any
) -> Pairs:
    """Make the answers of two models that are right in some share of the images."""
    rng = np.random.default_rng(0)
    labels = np.arange(images) % len(classes)
    ids = np.array([f"{place:05d}.png" for place in range(images)])
    pairs = Pairs(
        ids=ids,
        digests=np.array([sha256(one.encode()).hexdigest() for one in ids.tolist()]),
        groups=np.arange(images) // 2 * 2 + (np.arange(images) % 40 > 1) * (np.arange(images) % 2),
        labels=labels,
        classes=classes,
        champion=make_answers(rng, labels, len(classes), hits[0]),
        challenger=make_answers(rng, labels, len(classes), hits[1]),
    )
    return replace(pairs, **more)


def make_answers(rng: np.random.Generator, labels: NDArray[np.int64], classes: int, hits: float) -> Answers:
    """Make answers that are right in some share of the images."""
    right = rng.random(len(labels)) < hits
    wrong = (labels + rng.integers(1, max(classes, 2), len(labels))) % classes
    sure = np.where(right, rng.beta(9, 1, len(labels)), rng.beta(1, 6, len(labels)))
    return Answers(np.where(right, labels, wrong), -np.log(sure), np.full(len(labels), np.nan))


def make_test(pairs: Pairs, threshold: float = 0.0152, **more: Any) -> Test:
    """Make the test of accuracy that fits some pairs."""
    first, second = (one.predicted == pairs.labels for one in (pairs.champion, pairs.challenger))
    found = compare_hits(first, second, pairs.groups)
    _, places = np.unique(pairs.groups, return_inverse=True)
    more_hits = np.bincount(places, second.astype(float) - first)
    test = Test(
        metric="accuracy",
        champion=float(first.mean()),
        challenger=float(second.mean()),
        difference=found.value,
        low=found.low,
        high=found.high,
        p_value=found.p_value / 2 if found.value > 0 else 1 - found.p_value / 2,
        threshold=threshold,
        images=len(pairs),
        groups=len(more_hits),
        gained=int((more_hits > 0).sum()),
        lost=int((more_hits < 0).sum()),
        worse_p_value=None,
        method="Tango's interval, one-sided McNemar test (mid-p), of groups of near-duplicates",
    )
    return replace(test, **more)


def keep(decision: Decision, rules: Gate | None = None, **context: Any) -> KeptDecision:
    """Keep a decision about digits-cnn, the challenger, and digits-dense."""
    known: dict[str, Any] = {"challenger": "digits-cnn", "champion": "digits-dense (version 2)", "measures": OWN}
    known |= {"champion_measures": OTHER, "candidates": 2, "epochs": 12, "number": 1, **context}
    first = known["champion"] is None
    return KeptDecision(
        dataset="digits",
        number=7,
        challenger_version="3",
        challenger_run="c" * 32,
        champion_version=None if first else "2",
        champion_run=None if first else "a" * 32,
        rules=rules or Gate(),
        context=Context(**known),
        decision=decision,
        who="ada@lovelace",
        when="2026-05-01T12:00:00+00:00",
    )


FLOORS = (
    Floor("minimum accuracy", "0.9717", "at least 0.9000", True),
    Floor("servable", "answers as in training", "in a clean process", True),
    Floor("latency", "3.20 ms", "at most 4.20 ms, twice the champion's", True),
    Floor("memory", "412 MB", "", None),
)


def promoted(pairs: Pairs, **how: Any) -> KeptDecision:
    """Give a decision for the challenger."""
    test = make_test(pairs)
    reason = (
        f"digits-cnn beats digits-dense (version 2): accuracy {test.challenger:.4f} against {test.champion:.4f} on "
        f"{test.images} images, p = {test.p_value:.4f} where it had to be below {test.threshold}."
    )
    decision = Decision("promote", "better", reason, test, floors=FLOORS, spent=0.0304)
    return keep(decision, **how)


def harmed(pairs: Pairs, **how: Any) -> KeptDecision:
    """Give a decision against a challenger that is better but for a class."""
    harms = (
        Harm(pairs.classes[-1], 0.95, 0.7, 60, 0.0021, True),
        Harm(pairs.classes[0], 0.9833, 0.95, 60, 0.62, False),
    )
    reason = (
        f"digits-cnn is better than digits-dense (version 2), but worse on {pairs.classes[-1]}: its recall falls from "
        "0.9500 to 0.7000 (p = 0.0021, corrected for 10 classes). The champion stays."
    )
    return keep(Decision("keep", "harm", reason, make_test(pairs), harms, FLOORS, spent=0.0304), **how)


def undecided(pairs: Pairs, **how: Any) -> KeptDecision:
    """Give a decision that these images do not bear."""
    test = make_test(pairs)
    reason = (
        f"digits-cnn may be better than digits-dense (version 2): accuracy {test.challenger:.4f} against "
        f"{test.champion:.4f}, but p = {test.p_value:.3f} where it had to be below {test.threshold}. About 1,340 "
        "images more would decide it. The champion stays until then."
    )
    decision = Decision("undecided", "too_few_images", reason, test, floors=FLOORS, missing=1342, spent=0.0304)
    return keep(decision, **how)


def first() -> KeptDecision:
    """Give the decision about the first champion."""
    decision = Decision("promote", "first", "digits-cnn is the first champion: it reaches every floor.", floors=FLOORS)
    return keep(decision, champion=None, champion_measures=None, number=1)


def incomparable() -> KeptDecision:
    """Give a decision about a champion whose files are gone."""
    why = "the predictions of digits-dense (version 2) are gone from its run"
    reason = f"digits-cnn cannot be compared: {why}. `podium promote digits/3 --force --why …` puts it in its place."
    return keep(Decision("keep", "incomparable", reason, floors=FLOORS), incomparable=why, champion_measures=None)


def below_floor(pairs: Pairs, **how: Any) -> KeptDecision:
    """Give a decision against a challenger that is better, and too slow."""
    floors = (*FLOORS[:2], Floor("latency", "9.80 ms", "at most 4.20 ms, twice the champion's", False), FLOORS[3])
    reason = "digits-cnn misses a floor: latency is 9.80 ms, at most 4.20 ms. The champion stays."
    return keep(Decision("keep", "floor", reason, make_test(pairs), floors=floors), **how)


def make_images(ids: NDArray[np.str_], side: int = 8, channels: int = 1) -> list[NDArray[np.uint8]]:
    """Make an image of each id, always the same of the same."""
    rngs = (np.random.default_rng(int(sha256(one.encode()).hexdigest()[:8], 16)) for one in ids.tolist())
    return [rng.integers(0, 256, (side, side, channels), dtype=np.uint8) for rng in rngs]


def take(pairs: Pairs, count: int) -> Pairs:
    """Give the first images of some pairs."""
    champion, challenger = (
        Answers(one.predicted[:count], one.losses[:count], one.overlaps[:count])
        for one in (pairs.champion, pairs.challenger)
    )
    columns = {name: getattr(pairs, name)[:count] for name in ("ids", "digests", "groups", "labels")}
    return replace(pairs, **columns, champion=champion, challenger=challenger)


def with_boxes(pairs: Pairs) -> Pairs:
    """Give pairs whose models predict boxes, too; of some images no box is known."""
    rng = np.random.default_rng(1)
    known = np.where(rng.random(len(pairs)) < 0.9, 1, np.nan)
    champion, challenger = (
        replace(one, overlaps=rng.beta(shape, 2, len(pairs)) * known)
        for one, shape in ((pairs.champion, 4), (pairs.challenger, 6))
    )
    return replace(pairs, champion=champion, challenger=challenger)
