"""The folder of a card: `card.md`, `index.html`, `differing.png`, and what a person can label if it is undecided."""

from pathlib import Path

from podium.pages.thumbnails import THUMBNAIL_SIDE_PIXELS
from podium.registry.card.description import SHEET
from podium.registry.card.differing import Images, Kind, Shown, find_differing, share_out, show
from podium.registry.card.labelling import write_labelling
from podium.registry.card.page import write_page
from podium.registry.card.sheet import draw_sheet
from podium.registry.card.text import write_text
from podium.registry.card.words import is_open
from podium.registry.decision import Pairs
from podium.registry.kept import KeptDecision

MAX_SHOWN, MAX_ON_SHEET = 48, 24
"""Images on the page and on the contact sheet."""
CARD, PAGE, LABELLING = "card.md", "index.html", "disagreements.html"


def write_card(folder: Path, kept: KeptDecision, pairs: Pairs | None, images: Images) -> None:
    """Write what people read of a decision; the same decision gives the same bytes.

    `differing.png` is only written where there are pairs, `disagreements.html` only where further images would tell.

    Args:
        folder: where to; it is there already.
        kept: the decision.
        pairs: what both models said; None where they were not compared.
        images: gives the images of some ids, each (height, width, 1 or 3) uint8.
    """
    if pairs is not None and not len(pairs):
        pairs = None
    metric = kept.rules.metric if kept.decision.test is None else kept.decision.test.metric
    shown: dict[Kind, list[Shown]] = {}
    counts: dict[Kind, int] = {}
    if pairs is not None:
        differing = find_differing(pairs, metric)
        counts = {kind: len(rows) for kind, rows in differing.items()}
        chosen = share_out(differing, MAX_SHOWN)
        shown = {kind: show(pairs, rows, images, metric, THUMBNAIL_SIDE_PIXELS) for kind, rows in chosen.items()}
        on_sheet = share_out(differing, MAX_ON_SHEET)
        some = {kind: shown[kind][: len(rows)] for kind, rows in on_sheet.items()}
        draw_sheet(some, counts, metric, folder / SHEET)
        if is_open(kept):
            write_labelling(kept, pairs, differing, images, folder / LABELLING)
    digest = "" if pairs is None else pairs.digest
    (folder / CARD).write_text(write_text(kept, pairs, counts, digest), encoding="utf-8", newline="\n")
    write_page(kept, pairs, shown, counts, digest, folder / PAGE)
