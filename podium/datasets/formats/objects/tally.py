"""The objects of one image, counted as they are read; no more of them is kept than the one that may be its label."""

from dataclasses import dataclass
from math import isfinite

from podium.config.datasets import Objects
from podium.datasets.formats.example import Box

SEVERAL = "it has several objects"
NONE = "it has no object"
NO_LARGEST = "it has several objects, and without boxes none is the largest"


@dataclass(frozen=True, slots=True)
class Object:
    """A thing that an annotation names."""

    label: str
    box: Box | None


@dataclass(slots=True)
class Tally:
    """What an annotation says of one image.

    Attributes:
        count: how many objects it has. One that is written twice counts once.
        largest: the object with the largest box; of several, the first.
        without_box: whether an object has no box.
        crowd: whether it also has a crowd of things that nobody counted.
        fault: why the annotation cannot be understood; empty if it can.
        size: width and height of the image that the boxes were drawn on, in pixels, if the annotation tells.
        shares: whether boxes are shares of the image's width and height, and no pixels.
    """

    count: int = 0
    largest: Object | None = None
    without_box: bool = False
    crowd: bool = False
    fault: str = ""
    size: tuple[int, int] | None = None
    shares: bool = False

    def add(self, label: str, box: Box | None) -> None:
        """Count an object."""
        found = Object(label, box)
        if box is not None and found == self.largest:
            return
        self.count += 1
        self.without_box |= box is None
        if self.largest is None or _area(found) > _area(self.largest):
            self.largest = found

    def fail(self, reason: str) -> None:
        """Note why the annotation cannot be understood; the first reason stays."""
        self.fault = self.fault or reason

    def merge(self, other: "Tally") -> None:
        """Add what a second annotation says of the same image."""
        twice = other.count == 1 and other.largest is not None and self.largest == other.largest
        if not twice or self.without_box:
            self.count += other.count
            self.without_box |= other.without_box
            if other.largest and (self.largest is None or _area(other.largest) > _area(self.largest)):
                self.largest = other.largest
        self.crowd |= other.crowd
        self.fault = self.fault or other.fault
        self.size = self.size or other.size

    def left_out(self, objects: Objects) -> str:
        """Say why the image is left out; empty if it is not."""
        if objects == "one" and (self.count > 1 or (self.count and self.crowd)):
            return SEVERAL
        if self.fault:
            return ""
        if self.count > 1 and self.without_box:
            return NO_LARGEST
        return "" if self.count else NONE


def check_box(left: object, top: object, width: object, height: object) -> Box | None:
    """Give a box if it is one: four finite numbers, none of its sides negative."""
    try:
        edges = [float(each) for each in (left, top, width, height) if isinstance(each, int | float)]
    except OverflowError:
        return None
    if len(edges) < 4 or not all(map(isfinite, edges)) or min(edges[2:]) < 0:
        return None
    return (edges[0], edges[1], edges[2], edges[3])


def _area(found: Object) -> float:
    return found.box[2] * found.box[3] if found.box else -1.0
