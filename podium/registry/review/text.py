"""A review as Markdown for a pull request, and as one image of some images on which the two best differ."""

from collections.abc import Iterator
from pathlib import Path

from podium.evaluation.comparison import Comparison
from podium.evaluation.comparison.page import say_chance
from podium.evaluation.intervals import Estimate
from podium.pages.markdown import code, say, sentence
from podium.paths import DatasetPaths
from podium.registry.card.differing import Shown, find_differing, share_out, show
from podium.registry.card.sheet import draw_sheet
from podium.registry.card.text import table
from podium.registry.gathering import find_images
from podium.registry.review.reviewing import TEST, VALIDATION, Change, Review

MOST = 6
"""Images that differ."""
LONGEST = 2000
"""Characters of a reason."""
SIDE_PIXELS = 96
VERDICTS = {"promote": "✅ would be promoted", "keep": "➖ would not be promoted", "undecided": "❔ undecided"}


def describe_review(review: Review, address: str = "") -> str:
    """Give the review as Markdown.

    Args:
        review: of one dataset.
        address: of the image that `draw_images` draws; empty where nobody can open one.
    """
    return "\n".join(_parts(review, address)).rstrip()


def draw_images(review: Review, path: Path) -> int:
    """Draw some images on which the two best models differ, and what both say; give how many there are to see.

    Args:
        review: of one dataset.
        path: the PNG to be; none is written if there is nothing to see.
    """
    shown = _choose(review)
    if not shown or review.pairs is None:
        return 0
    differing = find_differing(review.pairs, review.metric)
    by_row = {one.row: one for one in shown}
    kinds = {kind: [by_row[row] for row in rows.tolist() if row in by_row] for kind, rows in differing.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_sheet(kinds, {kind: len(rows) for kind, rows in differing.items()}, review.metric, path)
    return len(shown)


def _parts(review: Review, address: str) -> Iterator[str]:
    decision, head = review.decision, review.head.name
    if decision is None:
        yield from (f"## ➖ {say(review.dataset)}: nothing changes", "")
        yield f"The best candidate, {say(review.best)}, predicts the very same as before."
    else:
        yield from (f"## {say(review.dataset)}: {VERDICTS[decision.verdict]}", "")
        yield sentence(decision.reason, LONGEST)
        yield ""
        against = f"the best of {say(review.base.name)} were champion" if review.base else "there were no champion"
        yield (
            f"That is what the gate would say if {against}. Nothing was published, and nothing of its budget spent: "
            "`podium run` asks it, and measures how the model serves."
        )
    rows = [row for change in review.changes for row in _rows(change)]
    if rows and review.base:
        names = (say(review.base.name), say(head))
        yield from ("", *table(("candidate", "metric", *names, "difference", "p", "verdict"), rows))
        yield from ("", "In brackets: 95% intervals, by groups of near-duplicates. Test metrics have no say.")
    for change in review.changes:
        if change.why_not:
            yield from ("", f"{say(change.candidate)} cannot be compared: {sentence(change.why_not, LONGEST)}")
    told = {
        "As before": [one.candidate for one in review.changes if one.same],
        "New": list(review.added) if review.base else [],
        "Gone": list(review.removed),
    }
    for title, names_of in told.items():
        if names_of:
            yield from ("", f"{title}: {', '.join(map(say, names_of))}.")
    yield from _images(review, address)


def _rows(change: Change) -> Iterator[list[str]]:
    for comparison in change.compared:
        for row in _figures(comparison):
            yield [say(change.candidate), *row]


def _figures(comparison: Comparison) -> Iterator[list[str]]:
    """Give the accuracy of the validation split, and all that is known of the test split."""
    for figure in comparison.figures:
        if comparison.split == TEST or (comparison.split == VALIDATION and figure.name == "accuracy"):
            before, after = figure.estimates
            (found,) = figure.differences
            yield [
                f"{comparison.split} {figure.title}",
                _with_ends(before),
                _with_ends(after),
                f"{found.value:+.4f}{_ends(found.low, found.high, '+')}",
                say_chance(found.p_value),
                figure.verdict(0),
            ]


def _with_ends(estimate: Estimate) -> str:
    return f"{estimate.value:.4f}{_ends(estimate.low, estimate.high)}"


def _ends(low: float | None, high: float | None, sign: str = "") -> str:
    return "" if low is None or high is None else f" ({low:{sign}.3f} to {high:{sign}.3f})"


def _images(review: Review, address: str) -> Iterator[str]:
    shown = _choose(review)
    if not shown or review.base is None:
        return
    yield from ("", f"### {len(shown)} of the validation images on which the two best differ", "")
    names = (f"{say(review.base.name)} says", f"{say(review.head.name)} says")
    rows = [[code(one.id), say(one.actual), say(one.champion.name), say(one.challenger.name)] for one in shown]
    yield from table(("image", "is", *names), rows)
    if address:
        yield from ("", f"![The images, and what both say](<{address}>)")


def _choose(review: Review) -> list[Shown]:
    if review.pairs is None:
        return []
    chosen = share_out(find_differing(review.pairs, review.metric), MOST)
    rows = [row for some in chosen.values() for row in some.tolist()]
    processed = review.head.root / DatasetPaths(review.dataset).processed
    return show(review.pairs, rows, find_images(processed), review.metric, SIDE_PIXELS)
