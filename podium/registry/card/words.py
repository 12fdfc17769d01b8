"""How the card writes numbers and names."""

import math
from datetime import UTC, datetime

from podium.evaluation.card.numbers import DASH, title
from podium.evaluation.metrics import SMALLER_IS_BETTER
from podium.registry.kept import KeptDecision


def verdict(kept: KeptDecision) -> str:
    """Give the verdict in a word or a few."""
    if kept.decision.verdict == "undecided":
        return "Undecided"
    if kept.decision.promoted:
        return "Waits for a person" if waits(kept) else "Promoted"
    return "The champion stays" if kept.context.champion else "Not promoted"


def headline(kept: KeptDecision) -> str:
    """Say in a sentence what was decided."""
    context, verdict = kept.context, kept.decision.verdict
    if verdict == "undecided":
        return f"{context.challenger} against {context.champion}"
    if verdict == "keep":
        return f"{context.champion} stays" if context.champion else f"{context.challenger} does not become champion"
    if waits(kept):
        return f"{context.challenger} may become champion, when a person says so"
    return f"{context.challenger} becomes champion" + (f" in place of {context.champion}" if context.champion else "")


def waits(kept: KeptDecision) -> bool:
    """Say whether the challenger has won and a person has to promote it."""
    return kept.decision.promoted and kept.rules.approval == "person"


def is_open(kept: KeptDecision) -> bool:
    """Say whether the two were compared, and further images would tell."""
    return kept.decision.ground == "too_few_images"


def version_name(kept: KeptDecision) -> str:
    """Give the challenger's name on the command line: `digits/3`."""
    return f"{kept.dataset}/{kept.challenger_version}"


def metric_title(metric: str) -> str:
    """Give a metric's name, and that lower is better where it is."""
    return f"{title(metric)} (lower is better)" if metric in SMALLER_IS_BETTER else title(metric)


def gain(metric: str, difference: float) -> float:
    """Give a difference of a metric, challenger less champion, as what the challenger gains."""
    return -difference if metric in SMALLER_IS_BETTER else difference


def figure(value: float | None) -> str:
    """Write the value of a metric.

    Example:
        >>> figure(0.98), figure(None)
        ('0.9800', '–')
    """
    return DASH if value is None or not math.isfinite(value) else f"{value:.4f}"


def signed(value: float | None) -> str:
    """Write a difference.

    Example:
        >>> signed(0.0123), signed(-0.5)
        ('+0.0123', '−0.5000')
    """
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:+.4f}".replace("-", "−") if round(value, 4) else "0.0000"


def ends(low: float | None, high: float | None, *, sign: bool = False) -> str:
    """Write the ends of an interval; nothing where there are none."""
    if low is None or high is None:
        return ""
    return f"{signed(low)} to {signed(high)}" if sign else f"{figure(low)} to {figure(high)}"


def chance(p_value: float | None) -> str:
    """Write a p-value, or what it is held against, in two digits that tell something.

    Example:
        >>> chance(0.0314), chance(0.00019), chance(0.0000002)
        ('0.031', '0.00019', '< 0.00001')
    """
    if p_value is None or not math.isfinite(p_value):
        return DASH
    if 0 <= p_value < 1e-5:
        return "< 0.00001"
    return f"{p_value:.{max(2, 1 - math.floor(math.log10(p_value)))}f}"


def moment(when: str) -> str:
    """Write a time to the minute; what is none stays as it is.

    Example:
        >>> moment("2026-05-01T12:00:59+00:00")
        '2026-05-01 12:00 UTC'
    """
    try:
        return datetime.fromisoformat(when).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return when


def part(share: float) -> str:
    """Write a small share in hundreds, in two digits.

    Example:
        >>> part(0.05), part(0.0018998)
        ('5%', '0.19%')
    """
    return f"{float(f'{share * 100:.2g}'):g}%"


def count(number: int, word: str, words: str = "") -> str:
    """Write how many: `1 image`, `1,200 images`."""
    return f"{number:,} {word if number == 1 else words or f'{word}s'}"
