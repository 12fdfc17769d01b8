"""The card as a page: one HTML file that needs nothing else."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from markupsafe import Markup, escape

from podium.pages.charts import Axis, percent
from podium.pages.html import printable, write_html
from podium.registry.card.budget import measure_budget
from podium.registry.card.differing import Kind, Shown, kind_words
from podium.registry.card.drawings import draw_counts, draw_difference, draw_dumbbell
from podium.registry.card.figures import list_costs, list_figures, list_recalls
from podium.registry.card.steps import missing_images, next_steps
from podium.registry.card.text import FLOORS, LONGEST, MAX_HARMS, describe_harms, missing_words, why_alone
from podium.registry.card.words import (
    chance,
    ends,
    figure,
    headline,
    metric_title,
    moment,
    part,
    signed,
    verdict,
    version_name,
)
from podium.registry.decision import Pairs
from podium.registry.kept import DECISION, PAIRS, KeptDecision


def write_page(
    kept: KeptDecision,
    pairs: Pairs | None,
    shown: Mapping[Kind, Sequence[Shown]],
    counts: Mapping[Kind, int],
    digest: str,
    path: Path,
) -> None:
    """Write `index.html`; the same decision gives the same bytes.

    Args:
        kept: the decision.
        pairs: what both models said; None where they were not compared.
        shown: some images of each kind they disagree on.
        counts: how many there are.
        digest: of all images.
        path: the file to be.
    """
    test = kept.decision.test
    recalls, classes = list_recalls(kept, pairs) if pairs is not None else ([], 0)
    floor = min((min(one.champion, one.challenger) for one in recalls), default=0.0)
    across = Axis(min(int(floor * 10) / 10, 0.9), 1)
    values = {
        "kept": kept,
        "verdict": verdict(kept),
        "headline": printable(headline(kept), LONGEST),
        "reason": prose(kept.decision.reason),
        "alone": prose(why_alone(kept)),
        "test": test,
        "metric": metric_title(kept.rules.metric if test is None else test.metric),
        "difference": None if test is None else draw_difference(test, kept.rules),
        "count_chart": None if test is None else _draw_counts(test.gained, test.lost),
        "figures": list_figures(kept, pairs),
        "costs": list_costs(kept),
        "recalls": [(one, draw_dumbbell(one, across)) for one in recalls],
        "classes": classes,
        "across": across,
        "harms": kept.decision.harms[:MAX_HARMS],
        "harm_words": describe_harms(len(kept.decision.harms), sum(harm.shown for harm in kept.decision.harms)),
        "floor_words": {key: words.replace("*", "") for key, words in FLOORS.items()},
        "kinds": kind_words(kept.rules.metric),
        "shown": shown,
        "counts": counts,
        "images": 0 if pairs is None else len(pairs),
        "groups": 0 if pairs is None else len(set(pairs.groups.tolist())),
        "budget": measure_budget(kept, 0 if pairs is None else len(pairs)),
        "digest": digest,
        "version": version_name(kept),
        "files": (DECISION, PAIRS) if pairs is not None else (DECISION,),
        "missing": missing_images(kept),
        "missing_words": [printable(one, LONGEST) for one in missing_words(kept, pairs)],
        "steps": next_steps(kept),
    }
    filters: dict[str, Callable[..., object]] = {
        "number": "{:,}".format,
        "figure": figure,
        "signed": signed,
        "chance": chance,
        "part": part,
        "moment": moment,
        "percent": percent,
        "ends": lambda both: ends(*both, sign=True),
    }
    write_html(__package__, "card.html", values, filters, path)


def prose(text: str) -> Markup:
    """Give sentences for a page; what stands between two backticks is code."""
    parts = printable(text, LONGEST).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    parts[1::2] = [Markup("<code>{}</code>").format(some) for some in parts[1::2]]
    return Markup("").join(parts)


def _draw_counts(gained: int, lost: int) -> Markup:
    counts = (("gained: the challenger has more hits", gained, "validation"), ("lost: it has fewer", lost, "test"))
    return draw_counts(counts, (gained + lost) / 2)
