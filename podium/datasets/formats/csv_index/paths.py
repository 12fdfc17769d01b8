"""Which column of a table names images, and how."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from podium.datasets.formats.csv_index.matching import clean_cell, key_of
from podium.datasets.formats.survey.words import part_of_path

CANDIDATES = 20
"""Images of one name that are looked at for a cell."""
MATCHES: tuple[Literal["any_case", "name", "stem"] | None, ...] = (None, "any_case", "name", "stem")
"""Ways to find an image, the most exact first."""


@dataclass(frozen=True)
class Way:
    """How a column names images."""

    column: int
    strip: str
    suffix: str
    match: Literal["any_case", "name", "stem"] | None


class Stems:
    """Image files by their last names and by these without endings."""

    def __init__(self, images: Iterable[str]) -> None:
        """Index paths in an archive."""
        self._names: dict[str, list[str]] = defaultdict(list)
        for name in images:
            base = name.rpartition("/")[2].casefold()
            self._names[base.rpartition(".")[0] or base].append(name)

    def __bool__(self) -> bool:
        return bool(self._names)

    def named(self, name: str) -> list[str]:
        """Give the images that a last name may mean, with its ending or without."""
        name = name.casefold()
        stem = name.rpartition(".")[0]
        found = self._names.get(name, [])[:CANDIDATES]
        return found + self._names.get(stem, [])[:CANDIDATES] if stem else found


def guess(cell: str, column: int, stems: Stems) -> Iterator[tuple[Way, str, str]]:
    """Give the ways in which a cell may name an image; with each, the folder that it starts from and the image."""
    path = clean_cell(cell)
    name = path.rpartition("/")[2]
    if not name or len(path) > 1000:
        return
    for image in stems.named(name):
        base = image.rpartition("/")[2]
        if base.casefold().startswith(name.casefold()):
            yield _way(path, column, image, base[len(name) :])
        yield _way(key_of(path, "stem"), column, key_of(image, "stem"), "", image)


def _way(path: str, column: int, image: str, suffix: str, whole: str = "") -> tuple[Way, str, str]:
    """Compare a path with that of an image whose last name begins with the path's.

    Args:
        path: of the cell.
        column: the cell's.
        image: in the archive.
        suffix: what the cell lacks at its end.
        whole: the image's path, if `path` and `image` are both without ending.
    """
    ours, theirs = path.split("/"), image.removesuffix(suffix).split("/")
    same = 0
    for one, other in zip(reversed(ours), reversed(theirs), strict=False):
        if one.casefold() != other.casefold():
            break
        same += 1
    folder = "/".join((whole or image).split("/")[: len(theirs) - same]) or "."
    strip = "".join(f"{part}/" for part in ours[: len(ours) - same])
    if strip and same == 1 and len(theirs) > 1 and not whole:  # only the last name is the same
        return Way(column, "", suffix, "name"), ".", image
    if whole:
        return Way(column, strip, "", "stem"), folder, whole
    exact = ours[len(ours) - same :] == theirs[len(theirs) - same :]
    return Way(column, strip, suffix, None if exact else "any_case"), folder, image


def likely_ways(rows: list[list[str]], table: str, stems: Stems) -> list[tuple[Way, list[str], float]]:
    """Guess from a sample how a table names images.

    Returns:
        Ways, the likeliest first; with each, the folders that the paths start from, and the share of rows that name an
        image so.
    """
    found: dict[Way, list[set[str]]] = defaultdict(list)
    for cells in rows:
        ways: dict[Way, set[str]] = defaultdict(set)
        for column, cell in enumerate(cells):
            for way, folder, _ in guess(cell, column, stems) if cell else ():
                ways[way].add(folder)
        for way, places in ways.items():
            found[way].append(places)
    part = part_of_path(table)
    ranked = sorted(
        found,
        key=lambda way: (
            -round(10 * len(found[way]) / len(rows)),
            MATCHES.index(way.match),
            bool(way.suffix),
            len(way.strip),
            way.column,
        ),
    )
    telling = [way for way in ranked if _tells_each(rows, way.column)]
    if telling and len(found[telling[0]]) >= 0.9 * len(found[ranked[0]]):
        ranked = telling  # a row's number may be an image's name, too
    likely = []
    for way in ranked[:6]:
        folders = _choose_folders(found[way], part)
        named = sum(not each.isdisjoint(folders) for each in found[way])
        likely.append((way, folders, named / len(rows)))
    return likely


def _tells_each(rows: list[list[str]], column: int) -> bool:
    """Say whether a column's cells differ, and do more than number the rows one after the other."""
    cells = [row[column] if column < len(row) else "" for row in rows]
    running = cells[0].isdecimal() and cells == [str(int(cells[0]) + number) for number in range(len(cells))]
    return not running and len(set(cells)) >= 0.9 * len(cells)


def _choose_folders(rows: list[set[str]], part: str | None) -> list[str]:
    """Take the folder that has the most images, then those that have others, until nearly all are found."""
    chosen: list[str] = []
    left = rows
    while len(left) > 0.03 * len(rows):
        folders = Counter(folder for each in left for folder in each)
        best = min(folders, key=lambda each: (-folders[each], part_of_path(each) != part, len(each), each))
        chosen.append(best)
        left = [each for each in left if best not in each]
    return sorted(chosen)


def share_found(cells: Iterable[str], way: Way, known: dict[str, str]) -> list[str]:
    """Give the image of each cell, empty where there is none."""
    return [known.get(key_of(clean_cell(cell, way.strip) + way.suffix, way.match), "") for cell in cells]


def index(images: Iterable[str], folders: list[str], way: Way) -> dict[str, str]:
    """Give the images in some folders by what a cell has to say to name them."""
    found: dict[str, str] = {}
    for folder in folders:
        prefix = "" if folder == "." else f"{folder}/"
        for name in images:
            if name.startswith(prefix):
                found.setdefault(key_of(name.removeprefix(prefix), way.match), name)
    return found
