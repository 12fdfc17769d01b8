"""MNIST's own files: `train-images-idx3-ubyte` beside `train-labels-idx1-ubyte`, by their names and first bytes."""

import re
from collections import defaultdict
from math import prod
from typing import get_args

from podium.config.datasets import IdxFormat, Part
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.idx.header import open_idx
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, WRITTEN_DOWN, Reading
from podium.datasets.formats.survey.words import part_of
from podium.errors import PodiumError

_NAME = re.compile(r"(^|[-._])(idx\d?[-._]?u?byte|ubyte|idx)(\.gz)?$", re.IGNORECASE)
MIN_COMMAS = 16
"""Commas in the first line of a table of pixels."""


def find(contents: Contents) -> list[Reading]:
    """Find files of images, each with labels: a reading for each dataset that they make, the largest first."""
    names = sorted((name for name in contents.files if _NAME.search(name.rpartition("/")[2])), key=len)
    sizes: dict[str, tuple[int, ...]] = {}
    faults: dict[str, str] = {}
    for name in names:
        try:
            sizes[name] = _sizes(contents.archive, name)
        except PodiumError as error:
            faults[name] = str(error)
    datasets: dict[str, dict[Part, tuple[str, str | None]]] = defaultdict(dict)
    for name in sizes:
        if len(sizes[name]) in (3, 4) and sizes[name][0]:
            labels = _labels_of(name, sizes)
            part = _part(name)
            found = datasets[_stem(name)]
            if labels is not None or part == "test":
                found.setdefault("unlabelled" if labels is None else part, (name, labels))
    readings = [_reading(contents, found, sizes, faults) for found in datasets.values() if {*found} - {"unlabelled"}]
    readings.sort(key=lambda reading: -reading.images)
    if len(readings) > 1:
        doubt = f"The archive has {len(readings)} such datasets."
        readings = [_doubted(reading, doubt) for reading in readings]
    if faults and not readings:
        return [Reading(format=None, what="idx files", images=0, strength=NAMES_SAY_SO, doubts=[*faults.values()][:3])]
    return readings


def _reading(
    contents: Contents,
    found: dict[Part, tuple[str, str | None]],
    sizes: dict[str, tuple[int, ...]],
    faults: dict[str, str],
) -> Reading:
    parts = {part: found[part] for part in get_args(Part) if part in found}
    notes = []
    if "train" not in parts:
        largest = max((part for part in parts if part != "unlabelled"), key=lambda part: sizes[parts[part][0]][0])
        notes.append(f"The archive has no train; its {largest} is train.")
        parts = {"train": parts.pop(largest), **parts}
    images = {part: name for part, (name, _) in parts.items()}
    count = sum(sizes[name][0] for name in images.values())
    doubts = []
    bytes_ = sum(prod(sizes[name]) for name in images.values())
    if table := _table_of_pixels(contents, bytes_):
        doubts.append(f"The table '{table}' may hold the same images.")
    if photographs := contents.tree.count:
        (doubts if photographs >= 0.1 * count else notes).append(f"The archive also has {photographs:,} image files.")
    first = sizes[next(iter(images.values()))]
    used = {name for pair in parts.values() for name in pair}
    aside = {name: "an idx file that is there twice, or is of another dataset" for name in sizes if name not in used}
    return Reading(
        format=IdxFormat(kind="idx", images=images, labels={part: name for part, (_, name) in parts.items() if name}),
        what=f"'{next(iter(images.values()))}' holds {first[0]:,} images of {' × '.join(map(str, first[1:]))} pixels",
        images=count,
        strength=NAMES_SAY_SO if doubts else WRITTEN_DOWN,
        aside=aside | faults,
        notes=notes,
        doubts=doubts,
    )


def _doubted(reading: Reading, doubt: str) -> Reading:
    reading.doubts.append(doubt)
    return reading


def _sizes(archive: Archive, name: str) -> tuple[int, ...]:
    with open_idx(archive, name) as (sizes, _):
        return sizes


def _part(name: str) -> Part:
    base = name.rpartition("/")[2]
    return "test" if re.search(r"(^|[-._])t10k([-._]|$)", base, re.IGNORECASE) else part_of(base) or "train"


def _stem(name: str) -> str:
    """Give a name without the words for parts and kinds; a file in a folder of its name is in none."""
    folder, _, base = name.rpartition("/")
    folder = folder.rpartition("/")[0] if _plain(folder.rpartition("/")[2]) == _plain(base) else folder
    words = re.findall(r"[a-z]+|\d+", base.lower())
    plain = [word for word in words if not part_of(word) and word not in {"t", "10", "k", "t10k", "gz"}]
    return f"{folder}/{' '.join(plain)}"


def _plain(base: str) -> str:
    return re.sub(r"[^a-z0-9]", "", base.lower())


def _labels_of(name: str, sizes: dict[str, tuple[int, ...]]) -> str | None:
    """Find the file of labels beside a file of images: its name differs in one word, and it is as long."""
    wanted = (
        re.sub(r"idx\d", "idx", _plain(name.rpartition("/")[2])).replace("images", "labels").replace("image", "label")
    )
    fitting = [
        other
        for other, (count, *rest) in sizes.items()
        if not rest
        and count == sizes[name][0]
        and re.sub(r"idx\d", "idx", _plain(other.rpartition("/")[2]))
        in {wanted, wanted.removesuffix("gz"), f"{wanted}gz"}
    ]
    folder = name.rpartition("/")[0]
    return min(fitting, key=lambda other: (other.rpartition("/")[0] != folder, len(other)), default=None)


def _table_of_pixels(contents: Contents, images_bytes: int) -> str | None:
    """Find a CSV table that is large and wide enough to hold as many pixels."""
    for table in contents.tables():
        if contents.archive.size(table) >= images_bytes / 2:
            try:
                with contents.archive.open(table) as file:
                    if file.readline(1 << 16).count(b",") >= MIN_COMMAS:
                        return table
            except DamagedFile:
                continue
    return None
