"""The JSON of a part, as COCO writes it: its images, its annotations and its categories."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from podium.datasets.archive import Archive
from podium.datasets.formats.coco.stream import elements
from podium.datasets.formats.image_files import find_images
from podium.datasets.formats.objects.files import inside
from podium.datasets.formats.objects.pairing import pair
from podium.datasets.formats.objects.part import Absent, Annotated
from podium.datasets.formats.objects.tally import Tally, check_box
from podium.errors import PodiumError

MAX_BYTES = 1 << 30
"""1 GiB: a JSON that is larger is not read. That of COCO 2017 has 450 million bytes."""
MAX_IMAGES = 2_000_000
"""That a JSON may name: what is known of each stays in memory."""


@dataclass
class Table:
    """What a JSON says.

    Attributes:
        images: what it says of each image, by the path that it writes, with slashes.
        strays: how many annotations are about an image that it does not name.
        categories: their names by their ids.
    """

    images: dict[str, Tally] = field(default_factory=dict)
    strays: int = 0
    categories: dict[str, str] = field(default_factory=dict)


def open_part(archive: Archive, folder: str, name: str, table: Table) -> Annotated:
    """Bring the images of a part together with what the JSON says of them.

    Args:
        archive: open.
        folder: what the JSON's paths are relative to.
        name: the JSON's path in the archive.
        table: what it says.

    Raises:
        PodiumError: there are no images.
    """
    images = [(inside(image, folder), image) for _, _, image in find_images(archive, {"train": folder})]
    pairs = pair(images, ((path, path) for path in table.images))
    prefix = "" if folder == "." else f"{folder}/"
    fault = f"{name} names it, but it is not in the archive"
    absent = [Absent(f"{prefix}{path}", path, fault) for path in pairs.orphans]
    return Annotated([image for _, image in images], pairs, table.images.__getitem__, name, absent)


def read_table(archive: Archive, name: str) -> Table:
    """Read a JSON, element by element; of each image no more is kept than a `Tally`.

    Raises:
        PodiumError: it is no JSON, not COCO's, or too large.
    """
    if archive.size(name) > MAX_BYTES:
        raise PodiumError(
            f"'{name}' has {archive.size(name):,} bytes; podium reads a COCO JSON of {MAX_BYTES:,} at most. Take the "
            "polygons (segmentation) out of it: podium needs the boxes alone."
        )
    rows = _Rows()
    try:
        with archive.open(name) as file:
            for key, element in elements(file):
                rows.take(key, element)
    except ValueError as error:
        raise PodiumError(
            f"'{name}' is no COCO JSON: {error}. Expected an object with the lists images, annotations and categories."
        ) from None
    return rows.finish(name)


class _Rows:
    """The rows of a JSON as they come: annotations may stand before their images and categories."""

    def __init__(self) -> None:
        self._images: list[tuple[str, str, tuple[int, int] | None]] = []
        self._objects: dict[str, Tally] = {}
        self._categories: dict[str, str] = {}
        self._seen: set[str] = set()

    def take(self, key: str, element: object) -> None:
        """Note a row; raises ValueError if it is not as expected."""
        self._seen.add(key)
        match key, element:
            case "images", {"id": int() | str() as ident, "file_name": str(path), **rest}:
                self._images.append((str(ident), path.replace("\\", "/").removeprefix("./"), _size(rest)))
            case "annotations", {"image_id": int() | str() as ident, "category_id": int() | str() as category, **rest}:
                self._annotate(self._objects.setdefault(str(ident), Tally()), str(category), rest)
            case "categories", {"id": int() | str() as ident, "name": str(label)} if label.strip():
                self._categories[str(ident)] = label.strip()
            case (("images" | "annotations" | "categories"), _):
                raise ValueError(f"its {key} have {str(element)[:80]}")
        if max(len(self._images), len(self._objects), len(self._categories)) > MAX_IMAGES:
            raise ValueError(f"it names more than {MAX_IMAGES:,} images")

    def _annotate(self, tally: Tally, category: str, annotation: Mapping[object, object]) -> None:
        if annotation.get("iscrowd"):
            tally.crowd = True
            return
        match annotation.get("bbox"):
            case None | []:
                tally.add(category, None)
            case [left, top, width, height] if box := check_box(left, top, width, height):
                tally.add(category, box)
            case other:
                tally.fail(f"an object has the box {str(other)[:60]}; expected left, top, width, height in pixels")
                tally.add(category, None)

    def finish(self, name: str) -> Table:
        """Give each image its objects, and these their labels; raises PodiumError if the JSON is not COCO's."""
        lacking = [key for key in ("images", "annotations", "categories") if key not in self._seen]
        if lacking:
            raise PodiumError(
                f"'{name}' is no COCO JSON: it lacks {' and '.join(lacking)}, or they are empty. Expected an object "
                "with the lists images, annotations and categories."
            )
        table = Table(categories=self._categories)
        counts = Counter(ident for ident, _, _ in self._images)
        for ident, path, size in self._images:
            tally = replace(self._objects.get(ident) or Tally(), size=size)
            if counts[ident] > 1:
                tally.fail(f"{name} has {counts[ident]} images with its id {ident}")
            if tally.largest and not tally.fault:
                label = self._categories.get(tally.largest.label)
                if label is None:
                    tally.fail(f"its category {tally.largest.label} is not among the categories of {name}")
                else:
                    tally.largest = replace(tally.largest, label=label)
            if path in table.images:
                table.images[path].merge(tally)
            else:
                table.images[path] = tally
        table.strays = sum(tally.count for ident, tally in self._objects.items() if ident not in counts)
        return table


def _size(image: Mapping[object, object]) -> tuple[int, int] | None:
    match image.get("width"), image.get("height"):
        case int(width), int(height) if width > 0 and height > 0:
            return (width, height)
    return None
