"""The page of a ranking: one HTML file, to be opened from disk."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from markupsafe import Markup

from podium.evaluation.intervals import Estimate
from podium.evaluation.metrics import SMALLER_IS_BETTER
from podium.evaluation.ranking.scores import RANKED
from podium.evaluation.ranking.standings import Ranking, Standing
from podium.pages.charts import Axis, Chart, draw_interval, round_ticks
from podium.pages.histograms import format_number
from podium.pages.html import write_html

MAX_NAME = 80
"""Characters of a page's file name without its end."""
COSTS = (
    ("parameters", "parameters", "{:,.0f}"),
    ("milliseconds an image", "milliseconds_per_image", "{:,.2f}"),
    ("training, seconds", "training_seconds", "{:,.0f}"),
)
"""Columns of cost: title, key and how a number is written."""


@dataclass(frozen=True)
class Facts:
    """What is known of one that is ranked, besides its rank.

    Attributes:
        candidate: its name on the params page.
        changes: what was set differently from the params page, by key, as text.
        cost: figures as `evaluate` wrote them; may be empty.
        run: the address of its run in MLflow; empty where MLflow is no server.
    """

    candidate: str
    changes: Mapping[str, str] = field(default_factory=dict)
    cost: Mapping[str, float | str | None] = field(default_factory=dict)
    run: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a page shows.

    Attributes:
        dataset: whose images.
        metric: one of `RANKED`.
        ranking: of its candidates.
        facts: by the name in the ranking.
        failed: what could not be trained, and why, in sentences.
        view: where MLflow lists the runs, for people.
        compared: the address at which MLflow holds them side by side; empty where it is no server.
        take: what to type to take the first one.
    """

    dataset: str
    metric: str
    ranking: Ranking
    facts: Mapping[str, Facts]
    failed: Sequence[str] = ()
    view: str = ""
    compared: str = ""
    take: str = ""

    def shown(self, one: Estimate) -> Estimate:
        """Give an estimate as people read it: shares end at 0 and 1, and a loss is better the lower it is."""
        if self.metric in SMALLER_IS_BETTER:
            return replace(one, value=-one.value, low=_turned(one.high), high=_turned(one.low))
        return replace(one, low=one.low and max(one.low, 0.0), high=one.high and min(one.high, 1.0))

    def describe(self) -> list[str]:
        """Say in sentences what came of it, the verdict first."""
        standings, leaders = self.ranking.standings, self.ranking.open
        first, sentences = standings[0], []
        if len(standings) == 1:
            sentences.append(f"{first.name} is alone: there is nothing to rank.")
        elif len(leaders) == 1:
            others = "the other one is" if len(standings) == 2 else f"all {len(standings) - 1} others are"
            sentences.append(f"{first.name} is best: {others} shown to be worse.")
        else:
            everyone = "both" if len(standings) == 2 else f"all {len(standings)}"
            among = everyone if len(leaders) == len(standings) else f"{len(leaders)} of {len(standings)}"
            sentences.append(f"{first.name} leads: it is the best with a chance of {percent(first.chance)}.")
            sentences.append(f"{among.capitalize()} cannot be told apart from the best.")
        groups, images = self.ranking.groups, self.ranking.images
        within = "" if groups == images else f" in {groups:,} groups of near-duplicates"
        seeds = {one.seeds for one in standings}
        trained = (
            "one seed each" if seeds == {1} else f"{' to '.join(map(str, sorted({min(seeds), max(seeds)})))} seeds"
        )
        sentences.append(f"By {RANKED[self.metric]} on {images:,} validation images{within}, {trained}.")
        return sentences


def _turned(value: float | None) -> float | None:
    return None if value is None else -value


def percent(chance: float) -> str:
    """Write a chance.

    Example:
        >>> percent(0.621), percent(0.0004), percent(1.0)
        ('62 %', 'under 1 %', '100 %')
    """
    return "under 1 %" if 0 < chance < 0.01 else f"{100 * chance:.0f} %"


def page_path(dataset: str, names: Sequence[str], key: str) -> Path:
    """Give the place of a ranking's page, relative to the project's root.

    Args:
        dataset: whose images.
        names: of the candidates that were ranked.
        key: tells rankings of the same candidates apart.

    Example:
        >>> page_path("digits", ["digits-cnn"], "3fa8c1d2").as_posix()
        'reports/digits/sweep/digits-cnn-3fa8c1d2.html'
    """
    words = "-".join(re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") for name in names)
    if len(words) > MAX_NAME:
        words = f"{words[:MAX_NAME]}-{sha256(words.encode()).hexdigest()[:8]}"
    return Path("reports") / dataset / "sweep" / f"{words}-{key}.html"


def write_page(sheet: Sheet, path: Path) -> None:
    """Write the page; its folder is made."""
    standings = sheet.ranking.standings
    path.parent.mkdir(parents=True, exist_ok=True)
    axis = _axis([sheet.shown(one.estimate) for one in standings])
    keys = list(dict.fromkeys(key for one in standings for key in sheet.facts[one.name].changes))
    values = {
        "sheet": sheet,
        "title": RANKED[sheet.metric],
        "lower": sheet.metric in SMALLER_IS_BETTER,
        "standings": standings,
        "shown": {one.name: sheet.shown(one.estimate) for one in standings},
        "intervals": {one.name: _interval(sheet.shown(one.estimate), axis, one) for one in standings},
        "behind": {one.name: _behind(sheet, one) for one in standings},
        "named": {one.name: sheet.facts[one.name].candidate if keys else one.name for one in standings},
        "several": any(one.spread is not None for one in standings),
        "keys": keys,
        "costs": [
            (title, {one.name: _cost(sheet.facts[one.name], key, form) for one in standings})
            for title, key, form in COSTS
            if any(isinstance(sheet.facts[one.name].cost.get(key), int | float) for one in standings)
        ],
        "charts": [chart for key in keys if (chart := _draw(sheet, key)) is not None],
        "ends": (f"{axis.low:.4g}", f"{axis.high:.4g}"),
    }
    filters = {"number": format_number, "figure": lambda value: f"{value:.4f}", "percent": percent}
    write_html(__package__, "ranking.html", values, filters, path)


def _axis(estimates: Sequence[Estimate]) -> Axis:
    lows = [one.value if one.low is None else one.low for one in estimates]
    highs = [one.value if one.high is None else one.high for one in estimates]
    low, high = min(lows), max(highs)
    return Axis(low, high) if high > low else Axis(low - 0.05, high + 0.05)


def _interval(one: Estimate, axis: Axis, standing: Standing) -> Markup:
    return draw_interval(one.value, one.low, one.high, axis, "validation" if standing.is_open else "train")


def _behind(sheet: Sheet, one: Standing) -> list[str]:
    """Write how far one is from the first, and between what."""
    if one.behind is None:
        return ["–"]
    found, sign = one.behind, -1 if sheet.metric in SMALLER_IS_BETTER else 1
    parts = [f"{sign * found.value:+.4f}"]
    if found.low is not None and found.high is not None:
        low, high = sorted((sign * found.low, sign * found.high))
        parts.append(f"{low:+.4f} to {high:+.4f}")
    return [part.replace("-", "−") for part in parts]


def _cost(facts: Facts, key: str, form: str) -> str:
    value = facts.cost.get(key)
    return form.format(value) if isinstance(value, int | float) else "–"


def _draw(sheet: Sheet, key: str) -> Markup | None:
    """Draw the metric over the values of a key, if these are several numbers."""
    points = []
    for one in sheet.ranking.standings:
        try:
            points.append((float(sheet.facts[one.name].changes[key]), sheet.shown(one.estimate)))
        except (KeyError, ValueError):
            continue
    xs = [x for x, _ in points]
    if len(set(xs)) < 2:
        return None
    down = _axis([one for _, one in points])
    ticks = round_ticks(down.low, down.high, 4)
    is_wide = min(xs) > 0 and max(xs) / min(xs) >= 20
    room = 0 if is_wide else (max(xs) - min(xs)) * 0.06
    chart = Chart(
        Axis(min(xs) - room, max(xs) + room, key, sorted(set(xs)), logarithmic=is_wide),
        replace(down, title=RANKED[sheet.metric], ticks=ticks),
    )
    lows = [one.value if one.low is None else one.low for _, one in points]
    highs = [one.value if one.high is None else one.high for _, one in points]
    chart.bars(xs, lows, highs, "validation")
    chart.dots(xs, [one.value for _, one in points], "validation", 4)
    return chart.draw(f"{RANKED[sheet.metric]} by {key}")
