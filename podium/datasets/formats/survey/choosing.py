"""The reading of an archive that is taken, if one is clearly likelier than all others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from podium.config.datasets import CsvIndexFormat, Format, ImageFolderFormat
from podium.datasets.formats.image_files import has_image_name, kind_of
from podium.datasets.formats.survey.contents import Contents, without
from podium.datasets.formats.survey.hints import find_hints
from podium.datasets.formats.survey.reading import GUESSED, PARTS_AGREE, WRITTEN_DOWN, Reading
from podium.errors import PodiumError

MIN_EXPLAINED = 0.9
"""So large a share of the image files a reading uses, or leaves aside with a reason."""
IN_TABLES = ("pixel_csv", "idx", "image_parquet")
"""Formats whose images are not files."""


@dataclass(frozen=True)
class Survey:
    """What was found."""

    reading: Reading
    format: Format
    notes: list[str]
    """What a person should know of it, each a sentence."""
    others: list[tuple[int | None, Reading]]
    """Readings that were not taken, each with the number that takes it, if podium can read it."""
    contents: Contents


class UnclearError(PodiumError):
    """An archive can be read in several ways, or in none without doubt; the message names them."""

    def __init__(self, contents: Contents, readings: Sequence[Reading], *, hint: str = "") -> None:
        super().__init__(_unclear(contents, readings), hint=hint)
        self.contents = contents
        self.readings = [*numbered(readings)]
        """Each with the number that takes it, if podium can read it."""

    def with_hint(self, hint: str) -> "UnclearError":
        """Give the same error with another hint."""
        return UnclearError(self.contents, [reading for _, reading in self.readings], hint=hint)

    @property
    def count(self) -> int:
        """How many readings can be taken; their numbers are 1 to this."""
        return sum(number is not None for number, _ in self.readings)

    def take(self, number: int) -> Survey:
        """Take the reading of a number all the same.

        Raises:
            PodiumError: none has it.
        """
        return _take(self.contents, [reading for _, reading in self.readings], number)


def numbered(readings: Sequence[Reading]) -> Iterator[tuple[int | None, Reading]]:
    """Give each reading that podium can read a number, from 1 on, in their order; None for the others."""
    number = 0
    for reading in readings:
        number += reading.format is not None
        yield number if reading.format else None, reading


def choose(contents: Contents, readings: list[Reading], number: int | None = None) -> Survey:
    """Take the best reading, if it explains nearly everything and nothing speaks against it, or as much for another.

    Args:
        contents: of the archive.
        readings: all that detectors found.
        number: of the reading to take, 1 being the first of those that are told.

    Raises:
        PodiumError: none is good enough, or several are; the message names them.
    """
    readings = sorted((_explained(contents, reading) for reading in readings), key=_rank)
    if number is not None:
        return _take(contents, readings, number)
    if not readings:
        raise PodiumError(_nothing_fits(contents))
    best = _simplest(readings)
    rivals = [each for each in readings if each is not best and not each.doubts and _rivals(best, each)]
    if best.format is None or best.doubts or rivals:
        raise UnclearError(contents, readings)
    return _taken(contents, best, readings)


def _take(contents: Contents, readings: Sequence[Reading], number: int) -> Survey:
    """Take the reading of a number."""
    known = [reading for reading in readings if reading.format is not None]
    if not 1 <= number <= len(known):
        raise PodiumError(
            f"There is no reading {number}; expected 1 to {len(known)}." if known else _nothing_fits(contents)
        )
    return _taken(contents, known[number - 1], readings)


def _taken(contents: Contents, reading: Reading, readings: Sequence[Reading]) -> Survey:
    if reading.format is None:
        raise UnclearError(contents, readings)
    others = [(number, other) for number, other in numbered(readings) if other is not reading]
    doubts = [f"It was asked for; but: {doubt.removesuffix('.')}." for doubt in reading.doubts]
    notes = [*dict.fromkeys(contents.notes + reading.notes + doubts)]
    return Survey(reading, reading.format, notes, others, contents)


def _simplest(readings: list[Reading]) -> Reading:
    """Take class folders in place of a table that says the same of no more images, and knows no more parts."""
    best = readings[0]
    if isinstance(best.format, CsvIndexFormat) and best.agrees and not best.doubts:
        for other in readings[1:]:
            if isinstance(other.format, ImageFolderFormat) and not other.doubts and other.images >= best.images:
                parts = {*(best.format.split_words or {}).values()} or {*best.format.tables}
                return other if {*other.format.folders} >= parts else best
    return best


def _rank(reading: Reading) -> tuple[int, int, int]:
    """Put readings without doubts first, then those for which more speaks, then those with more images.

    A layout that is known and cannot be read comes before doubtful readings, and before all if it is written down.
    """
    if reading.format is None:
        return int(reading.strength < WRITTEN_DOWN), -reading.strength, 0
    return 2 * bool(reading.doubts), -reading.strength, -reading.images


def _rivals(best: Reading, other: Reading) -> bool:
    """Say whether as much speaks for another reading, which gives other labels."""
    if other.format is None or other.agrees or best.agrees:
        return False
    return other.strength > GUESSED and other.strength >= min(best.strength, PARTS_AGREE)


def _explained(contents: Contents, reading: Reading) -> Reading:
    """Doubt a reading that explains too few images."""
    if reading.format is None or reading.format.kind in IN_TABLES or "." in reading.aside:
        return reading
    if any("images lie" in doubt for doubt in reading.doubts):
        return reading
    images = without([*contents.tree.all_images()], reading.aside)
    if reading.images >= MIN_EXPLAINED * len(images):
        return reading
    doubt = f"{len(images) - reading.images:,} of {contents.tree.count:,} images lie elsewhere"
    return replace(reading, doubts=[*reading.doubts, doubt])


def _unclear(contents: Contents, readings: Sequence[Reading]) -> str:
    """Name the readings, with what speaks against each."""
    lines = [f"It is not clear what the images of the archive of {contents.archive.name} show. They can be read so:"]
    if not any(reading.format for reading in readings):
        lines = [f"The archive of {contents.archive.name} cannot be read:"]
    for number, reading in numbered(readings):
        title = f"{number}. {reading.format.kind}: " if reading.format else "- "
        lines.append(f"  {title}{reading.what}.")
        lines += [f"       But: {_sentence(doubt)}" for doubt in reading.doubts]
    lines += [f"  Note: {hint}" for hint in find_hints(contents)]
    if any(reading.format for reading in readings):
        lines.append("Take one with `--as NUMBER` at the end of the command, or write params.yaml by hand: ")
    else:
        lines.append("Lay the files out in another way, or write params.yaml by hand: ")
    lines[-1] += "docs/your-own-dataset.md."
    return "\n".join(lines)


def _nothing_fits(contents: Contents) -> str:
    endings: dict[str, list[str]] = {}
    for name in contents.files:
        endings.setdefault(PurePosixPath(name).suffix.lower() or "without ending", []).append(name)
    common = sorted(endings.items(), key=lambda pair: -len(pair[1]))[:8]
    found = ", ".join(f"{len(names):,} {ending}{_kind(contents, names[0])}" for ending, names in common) or "no file"
    first = ", ".join(f"'{name}'" for name in (*contents.tree.all_images(), *contents.files)[:4])
    return (
        f"The archive of {contents.archive.name} is laid out in no way that podium knows. Expected images in one "
        "folder a class; or images whose names begin with their class (cat.0.jpg); or a table with the path and the "
        "label of each image; or a table with a label and the pixels of an image a row; or idx files, Parquet, COCO, "
        "Pascal VOC, YOLO or digitStruct.mat. docs/your-own-dataset.md draws them all. Lay the files out "
        "like one of them and name their folder, or write params.yaml by hand.\n"
        f"Found: {found}{f'; for example {first}' if first else ''}."
        + "".join(f"\n  {hint}" for hint in find_hints(contents))
    )


def _kind(contents: Contents, name: str) -> str:
    """Say what a file is, if it is no image that its name tells."""
    kind = "" if has_image_name(name) else kind_of(name, contents.archive)
    return f" ({kind})" if kind and kind != "text" else ""


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
