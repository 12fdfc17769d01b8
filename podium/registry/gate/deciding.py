"""The gate: whether a challenger takes the champion's place. Nothing is read or moved here, and no luck is in it."""

from dataclasses import asdict, replace
from typing import Any, TypeVar

from podium.config.gates import Gate
from podium.evaluation.comparison.measuring import TITLES
from podium.evaluation.metrics import SMALLER_IS_BETTER
from podium.registry.decision import Context, Decision, Harm, Pairs, Test
from podium.registry.gate import wording
from podium.registry.gate.budget import budget_share, threshold
from podium.registry.gate.floors import check_floors
from podium.registry.gate.harm import find_harms
from podium.registry.gate.measuring import Gain, find_measured, measure_gain

CLEARLY = 0.8
"""A model is smaller or faster if it takes at most so much of what the champion takes."""
EXACT = 10
"""Digits of each figure that are kept: the last ones of a sum depend on the processor."""

Figures = TypeVar("Figures", Test, Harm)


def decide(pairs: Pairs | None, rules: Gate, context: Context) -> Decision:
    """Decide a challenge.

    In this order: a floor that is not reached keeps the champion. Without a champion the challenger is the first. Then
    a class that is shown to suffer keeps the champion. Then the challenger is promoted if it is shown to be better; or,
    with a margin and a reason to prefer it, not to be worse by the margin. It stays undecided only where more images
    might show a gain that is worth a change.

    The question about the margin costs no error. Where it is answered wrongly the challenger is worse by the margin, so
    that "better" is wrong as well; and it passes wherever "better" does. So one threshold bounds both (P. Bauer and M.
    Kieser, "A unifying approach for confidence intervals and testing of equivalence and difference", Biometrika 83,
    1996). With a margin, a model that is as good is promoted by right, not by error.

    Args:
        pairs: what both said of the images that neither was trained on; None if there is no champion to compare with.
        rules: fixed before the challenge.
        context: see there.

    Returns:
        The decision; the same for the same arguments, in any process.
    """
    floors = check_floors(rules, context)
    failing = [one for one in floors if one.holds is False]
    if failing:
        return Decision("keep", "floor", wording.tell_floors(context, failing), floors=floors)
    if context.champion is None:
        return Decision("promote", "first", wording.tell_first(context), floors=floors)
    why = context.incomparable or _find_fault(pairs, rules, context)
    if why or pairs is None:
        return Decision("undecided", "incomparable", wording.tell_incomparable(context, why), floors=floors)
    decision = _compare(pairs, rules, context)
    return replace(decision, floors=floors, spent=_exact(rules.error * budget_share(context.number)))


def _compare(pairs: Pairs, rules: Gate, context: Context) -> Decision:
    limit = threshold(rules.error, context.number, context.candidates, context.epochs)
    gain, margin = measure_gain(pairs, rules.metric), rules.margin
    test = _describe(gain, rules, limit)
    harms = tuple(_round(one) for one in find_harms(pairs, rules.error))
    if shown := [one for one in harms if one.shown]:
        return Decision("keep", "harm", wording.tell_harm(context, test, shown), test, harms)
    if test.p_value <= test.threshold:
        return Decision("promote", "better", wording.tell_better(context, test), test, harms)
    grounds = [] if margin is None else _prefer(context)
    margin = margin if grounds else None
    if margin is not None and test.worse_p_value is not None and test.worse_p_value <= test.threshold:
        return Decision("promote", "not_worse", wording.tell_not_worse(context, rules, test, grounds), test, harms)
    ahead, high = gain.found.value, gain.found.high
    open_questions = [0.0] if ahead > 0 and (high is None or high >= rules.worth) else []
    if margin is not None and ahead > -margin:
        open_questions.append(margin)
    if not open_questions:
        return Decision("keep", "not_better", wording.tell_not_better(context, rules, test, ahead > 0), test, harms)
    later = threshold(rules.error, context.number + 1, context.candidates, context.epochs)
    counts = [count for one in open_questions if (count := gain.missing(later, one)) is not None]
    missing = min(counts, default=None)
    reason = wording.tell_undecided(context, test, margin, missing)
    return Decision("undecided", "too_few_images", reason, test, harms, missing=missing)


def _find_fault(pairs: Pairs | None, rules: Gate, context: Context) -> str:
    """Say why there is nothing to compare; empty if there is something."""
    if pairs is None or not len(pairs):
        left_out = "; ".join(f"{count:,} {reason}" for reason, count in context.left_out.items())
        return f"there is no validation image that counts{f' ({left_out})' if left_out else ''}."
    if not find_measured(pairs, rules.metric).any():
        return f"no image has boxes of both, which {TITLES[rules.metric]} needs."
    return ""


def _describe(gain: Gain, rules: Gate, limit: float) -> Test:
    sign, found = -1 if rules.metric in SMALLER_IS_BETTER else 1, gain.found
    ends = [None, None] if found.low is None or found.high is None else sorted([sign * found.low, sign * found.high])
    return _round(
        Test(
            metric=rules.metric,
            champion=gain.champion,
            challenger=gain.challenger,
            difference=sign * found.value,
            low=ends[0],
            high=ends[1],
            p_value=found.p_value,
            threshold=limit,
            images=gain.images,
            groups=gain.groups,
            gained=gain.gained,
            lost=gain.lost,
            worse_p_value=None if rules.margin is None else gain.worse_by(rules.margin),
            method=found.method,
        )
    )


def _prefer(context: Context) -> list[str]:
    """Give what speaks for the challenger beside the metric, in words."""
    own, champion, grounds = context.measures, context.champion_measures, []
    if champion is not None:
        if own.model_bytes and champion.model_bytes and own.model_bytes <= CLEARLY * champion.model_bytes:
            grounds.append(f"smaller ({own.model_bytes / 1e6:.3g} MB against {champion.model_bytes / 1e6:.3g} MB)")
        same = bool(own.machine) and own.machine == champion.machine
        if same and own.p95_ms and champion.p95_ms and own.p95_ms <= CLEARLY * champion.p95_ms:
            grounds.append(f"faster ({own.p95_ms:.3g} ms against {champion.p95_ms:.3g} ms an image)")
    if context.newer_data:
        grounds.append("trained on newer data")
    return grounds


def _round(one: Figures) -> Figures:
    known = asdict(one)
    rounded: dict[str, Any] = {name: _exact(value) for name, value in known.items() if isinstance(value, float)}
    return replace(one, **rounded)


def _exact(value: float) -> float:
    return float(f"{value:.{EXACT}g}")
