"""The XML of one image, as Pascal VOC writes it."""

from math import nan
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from podium.datasets.archive import Archive
from podium.datasets.formats.example import Box
from podium.datasets.formats.objects.files import pair_files
from podium.datasets.formats.objects.part import Annotated
from podium.datasets.formats.objects.tally import Tally, check_box

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

EDGES = ("xmin", "ymin", "xmax", "ymax")


def open_part(archive: Archive, images: str, annotations: str, wanted: str = "") -> Annotated:
    """Bring the images of a part and their XML files together. See `pair_files`."""
    return pair_files(archive, images, annotations, ".xml", parse, wanted)


def parse(data: bytes, name: str) -> Tally:
    """Read an annotation.

    Its boxes go from `xmin` to `xmax` and from `ymin` to `ymax`, in pixels.

    Args:
        data: the file.
        name: how faults call it.

    Returns:
        Its objects; with a fault if it cannot be understood.
    """
    try:
        root: Element = fromstring(data)
    except DefusedXmlException as error:
        return Tally(fault=f"{name} is refused: XML that defines entities or loads others can do harm ({error})")
    except (ParseError, ValueError, LookupError) as error:
        return Tally(fault=f"{name} is not XML that can be read: {error}")
    if root.tag != "annotation":
        return Tally(fault=f"{name} has <{root.tag[:40]}> where Pascal VOC has <annotation>")
    tally = Tally(size=_size(root))
    for number, thing in enumerate(root.findall("object"), start=1):
        where = f"object {number} of {name}"
        label, box = (thing.findtext("name") or "").strip(), thing.find("bndbox")
        if not label:
            tally.fail(f"{where} has no name")
        found = _box(box) if box is not None else None
        if box is not None and found is None:
            given = ", ".join(f"{edge} {(box.findtext(edge) or 'missing').strip()[:20]}" for edge in EDGES)
            tally.fail(f"{where} has the box {given}; expected numbers, none of max below min")
        tally.add(label, found)
    return tally


def _box(box: "Element") -> Box | None:
    left, top, right, bottom = (_number(box.findtext(edge)) for edge in EDGES)
    return check_box(left, top, right - left, bottom - top)


def _size(root: "Element") -> tuple[int, int] | None:
    width, height = (_number(root.findtext(f"size/{side}")) for side in ("width", "height"))
    return (int(width), int(height)) if 0 < width < 1e9 and 0 < height < 1e9 else None


def _number(text: str | None) -> float:
    """Give a number; NaN if the text is none."""
    try:
        return float(text or "")
    except ValueError:
        return nan
