"""What the page of an unclear archive shows: its readings side by side, each with images of its classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import load
from podium.datasets.formats.survey.choosing import UnclearError
from podium.datasets.formats.survey.hints import find_hints
from podium.datasets.formats.survey.reading import Reading
from podium.datasets.starter.choices import natural
from podium.datasets.starter.look import Shown, Whole, command_of, spread, write_init
from podium.datasets.validation.thumbnails import collect_thumbnails
from podium.errors import PodiumError
from podium.pages.html import shortened

MAX_CLASSES = 12
"""Classes of a reading that are shown, the first by name."""
IMAGES = 3
"""Images of each class."""
LOOKED_AT = 300
"""Images that are read, from the first on, where a reading does not name any of each class."""


@dataclass(frozen=True)
class Card:
    """A reading on the page."""

    number: int | None
    reading: Reading
    command: Whole
    """Takes it; empty if podium cannot read it."""
    classes: list[tuple[str, list[Shown]]]
    more: int = 0
    """Classes that are not shown."""
    first: int = 0
    """If it is not 0, classes are those of so many images, from the first on."""
    fault: str = ""
    """Why no image could be read."""


@dataclass
class _Drawn:
    """Thumbnails of image files, which several readings share."""

    archive: Archive
    made: dict[str, bytes | None] = field(default_factory=dict)

    def __call__(self, names: Sequence[str]) -> list[Shown]:
        new = [name for name in names if name not in self.made]
        thumbnails = collect_thumbnails((load(self.archive, name, "", "") for name in new), range(len(new)))
        self.made.update((name, thumbnails.get(row)) for row, name in enumerate(new))
        return [Shown(shortened(name), self.made[name]) for name in names]


def write_readings(error: UnclearError, raw: Path, name: str, command: Sequence[str], path: Path) -> None:
    """Write the page.

    Args:
        error: with the readings; the archive is still open.
        raw: the archive's folder.
        name: the dataset's.
        command: what was typed, without `--as`.
        path: the HTML file to be.
    """
    draw = _Drawn(error.contents.archive)
    cards = [_card(reading, number, command_of(command, number), raw, draw) for number, reading in error.readings]
    choice = {"name": name, "cards": cards, "count": error.count, "notes": find_hints(error.contents)}
    write_init({"choice": choice, "files": len(error.contents.files), "images": len(error.contents.images)}, path)


def _card(reading: Reading, number: int | None, command: Whole, raw: Path, draw: _Drawn) -> Card:
    samples = reading.samples()
    if samples:
        labels = sorted(filter(None, samples), key=natural)
        chosen = {
            label: [samples[label][place] for place in spread(range(len(samples[label])), IMAGES)]
            for label in labels[:MAX_CLASSES]
        }
        shown = [(reading.names.get(label) or label, draw(names)) for label, names in chosen.items()]
        return Card(number, reading, command, shown, len(labels) - len(shown))
    if reading.format is None:
        return Card(number, reading, command, [])
    try:
        return Card(number, reading, command, _first(read(raw, reading.format), reading.names), first=LOOKED_AT)
    except PodiumError as error:
        return Card(number, reading, command, [], fault=str(error))


def _first(examples: Iterator[Example], names: Mapping[str, str]) -> list[tuple[str, list[Shown]]]:
    """Show the first images of the first classes that come."""
    found: dict[str, list[Example]] = {}
    for example in islice(examples, LOOKED_AT):
        if example.label and (example.label in found or len(found) < MAX_CLASSES):
            known = found.setdefault(example.label, [])
            known += [example] if len(known) < IMAGES else []
    found = {label: found[label] for label in sorted(found, key=natural)}
    thumbnails = collect_thumbnails(every := [each for some in found.values() for each in some], range(len(every)))
    shown = iter(Shown(shortened(each.id), thumbnails.get(row)) for row, each in enumerate(every))
    return [(names.get(label) or label, [*islice(shown, len(some))]) for label, some in found.items()]
