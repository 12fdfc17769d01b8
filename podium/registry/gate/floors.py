"""Floors: what a challenger has to reach by itself, whatever the champion does."""

from math import isfinite

from podium.config.gates import Gate
from podium.evaluation.comparison.measuring import TITLES
from podium.evaluation.metrics import SMALLER_IS_BETTER
from podium.registry.decision import Context, Floor, Measures

UNKNOWN, NO_LIMIT = "not measured", "no limit"
MEGABYTE = 1_000_000


def check_floors(rules: Gate, context: Context) -> tuple[Floor, ...]:
    """Look at every floor.

    A metric or calibration error that the rules ask for and nobody measured is not reached. Size, latency and memory
    are held against the champion's, where both are known; the last two only if they were measured on one machine.
    """
    own, champion = context.measures, context.champion_measures
    return (
        Floor("servable", own.fault or "yes", "yes", not own.fault),
        *(_check_minimum(name, least, own) for name, least in (rules.minimum or {}).items()),
        _check_calibration(rules.maximum_ece, own.ece),
        _check_cost("size", rules.size, _megabytes(own), None if champion is None else _megabytes(champion), "MB"),
        *(
            _check_cost(name, times, getattr(own, field), _same_machine(own, champion, field), unit)
            for name, times, field, unit in (
                ("latency", rules.latency, "p95_ms", "ms"),
                ("memory", rules.memory, "peak_mb", "MB"),
            )
        ),
    )


def _check_minimum(name: str, limit: float, own: Measures) -> Floor:
    """Check one metric; of the loss the limit is the most that it may be."""
    falling = name in SMALLER_IS_BETTER
    title, asked = TITLES[name], f"at {'most' if falling else 'least'} {limit:.4g}"
    kind, value = "maximum" if falling else "minimum", own.metrics.get(name)
    if value is None or not isfinite(value):
        return Floor(f"{kind} {title}", UNKNOWN, asked, False)
    return Floor(f"{kind} {title}", f"{value:.4g}", asked, value <= limit if falling else value >= limit)


def _check_calibration(limit: float | None, ece: float | None) -> Floor:
    value = UNKNOWN if ece is None else f"{ece:.4g}"
    if limit is None:
        return Floor("calibration error", value, NO_LIMIT, None)
    return Floor("calibration error", value, f"at most {limit:.4g}", ece is not None and ece <= limit)


def _check_cost(name: str, times: float | None, own: float | None, champion: float | None, unit: str) -> Floor:
    value = UNKNOWN if own is None else f"{own:.3g} {unit}"
    if times is None:
        return Floor(name, value, NO_LIMIT, None)
    asked = f"{times:g} times the champion's"
    if champion is None:
        return Floor(name, value, f"at most {asked}, of which nothing is known on this machine", None)
    limit = f"at most {times * champion:.3g} {unit}, {asked}"
    return Floor(name, value, limit, None if own is None else own <= times * champion)


def _megabytes(measures: Measures) -> float | None:
    return None if measures.model_bytes is None else measures.model_bytes / MEGABYTE


def _same_machine(own: Measures, champion: Measures | None, field: str) -> float | None:
    """Give what the champion takes, if that was measured where the challenger was."""
    if champion is None or not own.machine or own.machine != champion.machine:
        return None
    value: float | None = getattr(champion, field)
    return value
