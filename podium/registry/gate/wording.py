"""The sentences of a decision."""

from collections.abc import Sequence

import numpy as np

from podium.config.gates import Gate
from podium.evaluation.comparison.measuring import TITLES
from podium.registry.decision import Context, Floor, Harm, Test

STAYS = "The champion stays."
FORCE = 'A person may decide: `podium promote NAME@VERSION --force --why "…"`.'


def tell_floors(context: Context, failing: Sequence[Floor]) -> str:
    """Say what is not reached."""
    parts = [f"{one.name}: {one.value.rstrip('.')} (asked: {one.limit})" for one in failing]
    stays = STAYS if context.champion else "There is no champion yet."
    return f"{context.challenger} does not reach what every champion has to. {'; '.join(parts)}. {stays}"


def tell_first(context: Context) -> str:
    """Say why there was no comparison."""
    return (
        f"{context.challenger} is the first champion: it reaches what is asked of every one, and there is no other yet."
    )


def tell_incomparable(context: Context, why: str) -> str:
    """Say what is the matter, and the way on."""
    return f"{context.challenger} and {context.champion} cannot be compared: {why} {STAYS} {FORCE}"


def tell_better(context: Context, test: Test) -> str:
    """Say that the gain is shown."""
    return f"{context.challenger} is better than {context.champion}: {_figures(test)}."


def tell_not_worse(context: Context, rules: Gate, test: Test, grounds: Sequence[str]) -> str:
    """Say what the challenger is ahead in, and that nothing is lost."""
    shown = f"worse by {rules.margin:g} or more is ruled out at p {number(test.worse_p_value or 0.0)}"
    return (
        f"{context.challenger} is {' and '.join(grounds)}, and not worse than {context.champion} by {rules.margin:g}: "
        f"{_figures(test)}; {shown}."
    )


def tell_harm(context: Context, test: Test, shown: Sequence[Harm]) -> str:
    """Say which classes lose."""
    parts = [
        f"'{one.name}' (recall {one.challenger:.3f} against {one.champion:.3f} on {_count(one.images)}, "
        f"p {number(one.p_value)})"
        for one in shown[:3]
    ]
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return (
        f"{context.challenger} is shown to be worse than {context.champion} at {', '.join(parts)}{more}. {STAYS} "
        f"Over all classes: {_figures(test)}."
    )


def tell_not_better(context: Context, rules: Gate, test: Test, ahead: bool) -> str:
    """Say that the challenger is not ahead, or by less than is worth a change."""
    what = f"ahead of {context.champion} by less than is worth a change ({rules.worth:g})"
    return f"{context.challenger} is {what if ahead else f'not ahead of {context.champion}'}: {_figures(test)}. {STAYS}"


def tell_undecided(context: Context, test: Test, margin: float | None, missing: int | None) -> str:
    """Say what these images cannot tell, and how many could.

    Args:
        context: of the challenge.
        test: of the pairs.
        margin: by how much the challenger might be worse, as something else speaks for it; None if it might not.
        missing: about how many images more would tell; None if that is not known.
    """
    or_else = "" if margin is None else f", or not worse by {margin:g}"
    could = "" if missing is None else f" About {_round(missing):,} images more of the same kind would tell."
    return (
        f"These images cannot tell whether {context.challenger} is better than {context.champion}{or_else}: "
        f"{_figures(test)}. {STAYS}{could}"
    )


def number(p_value: float) -> str:
    """Write a p-value with its sign, to two digits."""
    if p_value < 1e-6:
        return "< 0.000001"
    return f"= {np.format_float_positional(float(f'{p_value:.2g}'), trim='-')}"


def _figures(test: Test) -> str:
    digits = 3 if test.images < 2000 else 4
    interval = "" if test.low is None else f" ({test.low:.{digits}f} to {test.high:.{digits}f})"
    needed = number(test.threshold).removeprefix("= ")
    return (
        f"{TITLES[test.metric]} {test.challenger:.{digits}f} against {test.champion:.{digits}f} on "
        f"{_count(test.images, 'validation image')}, {test.difference:+.{digits}f}{interval}, "
        f"p {number(test.p_value)} (needed: {needed})"
    )


def _count(images: int, word: str = "image") -> str:
    return f"{images:,} {word}{'' if images == 1 else 's'}"


def _round(images: int) -> int:
    """Give two digits of a count: more are not known."""
    return int(float(f"{images:.2g}"))
