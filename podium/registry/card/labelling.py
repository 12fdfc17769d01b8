"""The page on which a person checks the labels that an open decision hangs on: one HTML file, with a script of its own.

What it asks is blind: neither the label nor which model said what stands beside an image, for who knows that answers
otherwise. Without the script it is a list.
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from podium.config.gates import OF_BOXES
from podium.pages.html import write_html
from podium.paths import REVIEW, REVIEW_COLUMNS
from podium.registry.card.differing import BATCH, Images, Kind, Rows, Shown, order_to_check, show
from podium.registry.card.figures import SHARES_OF_HITS, most_telling
from podium.registry.card.steps import missing_images
from podium.registry.card.words import moment, part
from podium.registry.decision import Pairs
from podium.registry.kept import KeptDecision

MAX_CASES = 500
"""Images on the page."""
MAX_IMAGE_BYTES = 1_100_000
"""Of all images on the page together, before base64 makes a third more of them."""
LARGE, SMALL, FEW = 176, 96, 80
"""Pixels of an image's longest side, where there are few and where there are many; and how many are few."""


@dataclass(frozen=True)
class Case:
    """An image to be looked at.

    Attributes:
        shown: the image, its label and what both models say.
        choices: the classes to choose from, in the order of the classes.
        line: the beginning of its line for the review file; None if its id cannot be written there from a page.
    """

    shown: Shown
    choices: tuple[str, ...]
    line: str | None


def write_labelling(
    kept: KeptDecision, pairs: Pairs, differing: Mapping[Kind, Rows], images: Images, path: Path
) -> None:
    """Write the page, the images first whose labels decide most; the same decision gives the same bytes."""
    rows = order_to_check(pairs, differing)
    metric = kept.rules.metric if kept.decision.test is None else kept.decision.test.metric
    cases = _choose(kept.dataset, pairs, rows, images, metric)
    script = files(__package__).joinpath("labelling.js").read_text("utf-8")
    values = {
        "kept": kept,
        "cases": cases,
        "side": LARGE if len(rows) <= FEW else SMALL,
        "all": len(rows),
        "counts": {kind: len(found) for kind, found in differing.items()},
        "images": len(pairs),
        "alone": metric in SHARES_OF_HITS,
        "boxes": metric in OF_BOXES,
        "missing": missing_images(kept),
        "telling": [(name, part(share)) for name, share in most_telling(kept, pairs)],
        "review": REVIEW.as_posix(),
        "columns": ",".join(REVIEW_COLUMNS),
        "script": Markup(script),  # noqa: S704  a file of this package
        "script_digest": sha256(script.encode()).digest(),
    }
    write_html(__package__, "disagreements.html", values, {"number": "{:,}".format, "moment": moment}, path)


def _choose(dataset: str, pairs: Pairs, rows: Rows, images: Images, metric: str) -> list[Case]:
    """Take images in their order, until there are many or they are large."""
    side = LARGE if len(rows) <= FEW else SMALL
    cases: list[Case] = []
    size = 0
    for start in range(0, min(len(rows), MAX_CASES), BATCH):
        batch = rows[start : min(start + BATCH, MAX_CASES)]
        for one in show(pairs, batch, images, metric, side):
            size += len(one.thumbnail)
            if size > MAX_IMAGE_BYTES:
                return cases
            cases.append(_make_case(dataset, pairs, one))
    return cases


def _make_case(dataset: str, pairs: Pairs, one: Shown) -> Case:
    said = {int(model.predicted[one.row]) for model in (pairs.champion, pairs.challenger)}
    choices = sorted(said | {int(pairs.labels[one.row])})
    file = io.StringIO()
    csv.writer(file, lineterminator="").writerow([dataset, one.id, str(pairs.digests[one.row]), "leave_out", ""])
    line = file.getvalue()
    return Case(one, tuple(pairs.classes[place] for place in choices), line if line.isprintable() else None)
