"""A contact sheet of the images on which the two models disagree, as one PNG: MLflow shows it beside a version."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from podium.pages.fonts import open_font
from podium.pages.html import clip
from podium.pages.matrix_plot import INK
from podium.registry.card.differing import KINDS, Kind, Says, Shown, kind_words

COLUMNS, SIDE, ACROSS, DOWN = 5, 96, 158, 164
"""Images in a row, so that MLflow shows them whole; pixels of an image, and from one to the next."""
HEAD, EDGE = 42, 16
"""Pixels above the images of a kind, and beside them."""
RIGHT, WRONG = "#0b6e99", "#c2570c"


def draw_sheet(shown: Mapping[Kind, Sequence[Shown]], counts: Mapping[Kind, int], metric: str, path: Path) -> None:
    """Write the PNG; the same images give the same bytes.

    Args:
        shown: some images of each kind; of none it says so.
        counts: how many there are of each kind.
        metric: what was decided by.
        path: the file to be.
    """
    kinds, words = [kind for kind in KINDS if shown[kind]], kind_words(metric)
    columns = max([4, *(min(COLUMNS, len(shown[kind])) for kind in kinds)])
    rows = {kind: -(-len(shown[kind]) // columns) for kind in kinds}
    height = sum(HEAD + DOWN * rows[kind] for kind in kinds) or HEAD
    sheet = Image.new("RGB", (columns * ACROSS + EDGE, height), "white")
    draw, font, bold = ImageDraw.Draw(sheet), open_font("DejaVuSans", 12), open_font("DejaVuSans-Bold", 15)
    top = 0
    for kind in kinds:
        draw.text((EDGE, top + 14), f"{words[kind]}: {counts[kind]:,}", INK, bold)
        for place, one in enumerate(shown[kind]):
            left, high = EDGE + place % columns * ACROSS, top + HEAD + place // columns * DOWN
            image = Image.open(io.BytesIO(one.thumbnail)).convert("RGB")
            sheet.paste(image, (left + (SIDE - image.width) // 2, high + (SIDE - image.height) // 2))
            said = [(f"is {clip(one.actual, 14)}", INK)]
            said += [_say("champion", one.champion), _say("challenger", one.challenger)]
            for number, (text, colour) in enumerate(said):
                draw.text((left, high + SIDE + 3 + number * 15), text, colour, font)
        top += HEAD + DOWN * rows[kind]
    if not kinds:
        draw.text((EDGE, 14), "They disagree on no image", INK, bold)
    sheet.save(path, "PNG", compress_level=6)


def _say(model: str, says: Says) -> tuple[str, str]:
    return f"{model}: {clip(says.name, 11)}", RIGHT if says.right else WRONG
