"""Every file of an archive accounted for: used as an image, read as a table, or left aside for a reason."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from podium.config.datasets import Format
from podium.datasets.archive import Archive
from podium.datasets.formats.image_files import is_image, is_junk, kind_of, list_files, matcher

MAX_VANISHED = 20
"""Folders that are named because nothing of them is used."""


@dataclass(frozen=True)
class Aside:
    """Files that are left aside for one reason."""

    reason: str
    count: int
    example: str

    def __str__(self) -> str:
        """Say it in a sentence.

        Example:
            >>> str(Aside("HEIC, which is not read", 1200, "a/1.heic"))
            "1,200 files are left aside, HEIC, which is not read: such as 'a/1.heic'."
        """
        files = "1 file is" if self.count == 1 else f"{self.count:,} files are"
        return f"{files} left aside, {self.reason}: such as '{self.example}'."


@dataclass(frozen=True)
class Inventory:
    """The files of an archive, those of archives inside it too. The three numbers sum to all."""

    images: int
    """Image files that the dataset has."""
    tables: int
    """Files that say what images show, or hold them."""
    aside: list[Aside]
    """The others, the most first."""
    vanished: list[str]
    """Folders beside those of images that are used, of which nothing is."""

    @property
    def left(self) -> int:
        """How many files are left aside."""
        return sum(each.count for each in self.aside)

    def sentences(self) -> list[str]:
        """Say what is left aside, and what vanished."""
        gone = [f"Nothing in the folder '{folder}' is used." for folder in self.vanished]
        return [*map(str, self.aside), *gone]


def take_inventory(archive: Archive, layout: Format, ids: Collection[str]) -> Inventory:
    """Account for every file of an archive.

    Args:
        archive: open.
        layout: how its files are laid out.
        ids: of the manifest's images; those of files are paths.
    """
    files = list_files(archive, [])  # `podium init` has told what cannot be read
    used = set(ids).intersection(files)
    texts = asdict(layout)
    exclude = matcher(texts.pop("exclude", None) or ())
    named = {*_texts(texts)}
    annotations = {*_texts(texts.get("annotations"))}
    is_table = matcher(name for name in named if "*" in name)  # `data/train-*.parquet`
    tables = 0
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    left: dict[str, str] = {}
    for name in files:
        if name in used:
            continue
        if name in named or _belongs(name, annotations) or is_table(name):
            tables += 1
            continue
        reason = _reason(name, archive, exclude(name), examples)
        counts[reason] += 1
        examples.setdefault(reason, name)
        if not is_junk(name):
            left.setdefault(name.rpartition("/")[0], name)
    aside = [Aside(reason, count, examples[reason]) for reason, count in counts.most_common()]
    return Inventory(len(used), tables, aside, _vanished(used, left))


def _texts(value: object) -> Iterator[str]:
    """Give all texts in a layout: those that are paths are its tables."""
    if isinstance(value, str):
        yield from [value] if value else []
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _belongs(name: str, annotations: Collection[str]) -> bool:
    """Say whether a file is a text in a folder of annotations, one an image."""
    return name.lower().endswith((".xml", ".json", ".txt")) and (name.rpartition("/")[0] or ".") in annotations


def _reason(name: str, archive: Archive, excluded: bool, examples: dict[str, str]) -> str:
    if is_junk(name):
        return "leavings of systems and tools"
    if is_image(name, archive):
        return "excluded images" if excluded else "images that the format does not take"
    ending = PurePosixPath(name).suffix.lower()
    known = next((reason for reason in examples if reason.startswith(f"{ending or 'without ending'} ")), None)
    if known:
        return known
    kind = kind_of(name, archive)
    return f"{ending or 'without ending'} {f'({kind})' if kind else '(no image)'}"


def _vanished(used: Collection[str], left: dict[str, str]) -> list[str]:
    """Give the folders of files that are left aside, beside folders of images, that hold no image that is used."""
    above: dict[str, set[str]] = defaultdict(set)
    for folder in {name.rpartition("/")[0] for name in used}:
        parts = folder.split("/")
        for end in range(1, len(parts) + 1):
            above["/".join(parts[: end - 1])].add(parts[end - 1])
    gone = []
    for folder in left:
        parent, _, name = folder.rpartition("/")
        if folder and len(above.get(parent, ())) > 1 and name not in above[parent]:
            gone.append(folder)
    return sorted(gone)[:MAX_VANISHED]
