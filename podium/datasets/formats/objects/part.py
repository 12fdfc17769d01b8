"""A part of an archive whose images have annotations: read image by image, each with the one object that labels it."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from podium.config.datasets import Objects, Part
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import UNLABELLED, find_images, load
from podium.datasets.formats.objects.boxes import place
from podium.datasets.formats.objects.pairing import Pairs
from podium.datasets.formats.objects.tally import Tally

logger = logging.getLogger(__name__)

UNNAMED = "no annotation names it"


@dataclass(frozen=True, slots=True)
class Absent:
    """An image that is named and not in the archive."""

    id: str
    annotation: str
    """Empty if only a list names the image."""
    fault: str


@dataclass(frozen=True)
class Annotated:
    """A part's images, and what their annotations say.

    Attributes:
        images: paths in the archive, in its order.
        pairs: which annotation is whose.
        read: gives what an annotation says.
        source: names the annotations, for messages.
        absent: what is named and not in the archive.
    """

    images: list[str]
    pairs: Pairs
    read: Callable[[str], Tally]
    source: str
    absent: list[Absent] = field(default_factory=list)

    def look(self, image: str) -> Tally | str:
        """Give what the annotation of an image says, or why it has none."""
        if key := self.pairs.found.get(image):
            return self.read(key)
        return UNNAMED

    def misses(self, lost: Absent, objects: Objects) -> bool:
        """Tell whether an absent image would be used; what is no annotation, such as `readme.txt`, tells of none."""
        if not lost.annotation:
            return True
        tally = self.read(lost.annotation)
        return not tally.fault and not tally.left_out(objects)


def read_part(archive: Archive, part: Part, annotated: Annotated, objects: Objects) -> Iterator[Example]:
    """Read a part's images, but those with another number of objects than asked for, and those without annotation.

    Yields:
        The images in the archive's order, then what annotations name that is not there.
    """
    left: Counter[str] = Counter()
    for image in annotated.images:
        if clash := annotated.pairs.clashes.get(image):
            yield Example(image, part, "", None, clash)
            continue
        tally = annotated.look(image)
        if isinstance(tally, str):
            left[tally] += 1
        elif reason := tally.left_out(objects):
            left[reason] += 1
        else:
            yield _example(archive, image, part, tally)
    for lost in annotated.absent:
        if annotated.misses(lost, objects):
            yield Example(lost.id, part, "", None, lost.fault)
    for reason, count in left.items():
        logger.info("%s: %d images are left aside: %s", annotated.source, count, reason)


def read_unlabelled(archive: Archive, folders: dict[Part, str]) -> Iterator[Example]:
    """Read the images of the part without labels, if there is one."""
    if UNLABELLED in folders:
        for part, _, name in find_images(archive, {UNLABELLED: folders[UNLABELLED]}):
            yield load(archive, name, part, "")


def _example(archive: Archive, image: str, part: Part, tally: Tally) -> Example:
    found = tally.largest
    if tally.fault or found is None:
        return Example(image, part, "", None, tally.fault)
    example = load(archive, image, part, found.label)
    if found.box and isinstance(example.image, bytes):
        return replace(example, box=place(found.box, tally, example.image))
    return example
