"""The text file of one image, as YOLO reads it: in each line `class x y width height`, shares of the image's size."""

from collections.abc import Iterable
from functools import partial
from math import isfinite

from podium.datasets.archive import Archive
from podium.datasets.formats.example import Box
from podium.datasets.formats.objects.files import pair_files
from podium.datasets.formats.objects.part import Annotated
from podium.datasets.formats.objects.tally import Tally
from podium.datasets.formats.yolo.names import Names

SLACK = 0.01
"""So far out of the image a share may be: programs round."""
BOX_NUMBERS = 5
ORIENTED_NUMBERS = 9
"""Of a line with a class and four corners: an oriented box, or a polygon of four corners."""


def open_part(
    archive: Archive, images: str, annotations: str, names: Names, wanted: str = "", but: Iterable[str] = ()
) -> Annotated:
    """Bring the images of a part and their text files together. See `pair_files`."""
    no_annotations = {names.source, *but}
    return pair_files(archive, images, annotations, ".txt", partial(parse, names=names), wanted, no_annotations)


def parse(data: bytes, name: str, names: Names) -> Tally:
    """Read an annotation. Of a polygon, the box around it counts.

    Args:
        data: the file.
        name: how faults call it.
        names: those of the classes.

    Returns:
        Its objects, boxes as shares; with a fault if a line cannot be understood.
    """
    tally = Tally(shares=True)
    for number, line in enumerate(data.decode("utf-8-sig", errors="replace").splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        where = f"{name}, line {number}"
        kind, box = _class(words[0]), _box(words[1:], names.keypoints)
        if kind is None or box is None:
            tally.fail(
                f"{where} is '{line.strip()[:60]}'; expected the number of a class, and x y width height, or a polygon "
                "of x y pairs, as shares of the image's size"
            )
        label = names.find(kind) if kind is not None else ""
        if label is None:
            tally.fail(f"{where} has the class {kind}, which has no name in {names.source}")
        tally.add(label or "", box)
    return tally


def _class(word: str) -> int | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return int(number) if 0 <= number < 1e9 and number == int(number) else None


def _box(words: list[str], keypoints: int) -> Box | None:
    """Give left, top, width, height of a line's numbers; None if they are no box and no polygon."""
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return None
    if keypoints and len(numbers) == 4 + keypoints:
        numbers = numbers[:4]
    if not all(isfinite(each) and -SLACK <= each <= 1 + SLACK for each in numbers):
        return None
    if len(numbers) == 4:
        x, y, width, height = numbers
        return (x - width / 2, y - height / 2, width, height) if min(width, height) >= 0 else None
    if len(numbers) < 6 or len(numbers) % 2:
        return None
    left, top = min(numbers[::2]), min(numbers[1::2])
    return (left, top, max(numbers[::2]) - left, max(numbers[1::2]) - top)
