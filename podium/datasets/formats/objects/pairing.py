"""Which annotation is whose: images and annotations meet by their paths."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Names = Iterable[tuple[str, str]]
"""Of images or annotations: the path by which they meet, and what it stands for."""


@dataclass(frozen=True)
class Pairs:
    """Images and their annotations.

    Attributes:
        found: of an image, its annotation.
        clashes: of an image whose annotation may also be of another, why it is not taken.
        orphans: annotations without an image.
    """

    found: dict[str, str]
    clashes: dict[str, str]
    orphans: list[str]


def pair(images: Names, annotations: Names) -> Pairs:
    """Bring images and annotations together that have the same path.

    Else the same but for upper and lower case; else the same name, if nothing else has this name.

    Example:
        >>> pair([("a/1", "a/1.jpg"), ("2", "2.jpg")], [("1", "a/1.xml"), ("3", "3.xml")])
        Pairs(found={'a/1.jpg': 'a/1.xml'}, clashes={}, orphans=['3.xml'])
    """
    images, annotations = [*images], [*annotations]
    exact = _index((path, key) for path, key in annotations)
    folded = _index((_fold(path), key) for path, key in annotations)
    names = _index((_name(path), key) for path, key in annotations)
    rivals = Counter(_name(path) for path, _ in images)
    claims: dict[str, list[tuple[int, str]]] = defaultdict(list)
    clashes: dict[str, str] = {}
    for path, image in images:
        ways = [(exact, path), (folded, _fold(path))]
        if rivals[_name(path)] == 1 and names.get(_name(path)):
            ways.append((names, _name(path)))
        for rank, (table, place) in enumerate(ways):
            if place in table:
                key = table[place]
                if key is None:
                    clashes[image] = "several annotations have its name"
                else:
                    claims[key].append((rank, image))
                break
    found: dict[str, str] = {}
    for key, claimants in claims.items():
        best = min(rank for rank, _ in claimants)
        nearest = [image for rank, image in claimants if rank == best]
        if len(nearest) == 1:
            found[nearest[0]] = key
        for image in nearest if len(nearest) > 1 else ():
            other = next(each for each in nearest if each != image)
            clashes[image] = f"'{key}' may be its annotation or that of '{other}'"
    return Pairs(found, clashes, [key for _, key in annotations if key not in claims])


def stem(path: str) -> str:
    """Give a path without its ending.

    Example:
        >>> stem("a.b/c.d.jpg"), stem("a.b/.c")
        ('a.b/c.d', 'a.b/.c')
    """
    dot = path.rfind(".")
    return path[:dot] if dot > path.rfind("/") + 1 else path


def _index(pairs: Names) -> Mapping[str, str | None]:
    """Look things up by their path; None where several have it."""
    table: dict[str, str | None] = {}
    for path, key in pairs:
        table[path] = None if path in table else key
    return table


def _fold(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()


def _name(path: str) -> str:
    return _fold(path.rpartition("/")[2])
