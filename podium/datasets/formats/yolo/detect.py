"""Text files named as images are, with a class and a box in each line, as YOLO has them."""

from collections.abc import Iterable
from functools import partial
from itertools import takewhile

from podium.config.datasets import Folders, Part, YoloFormat
from podium.datasets.archive import DamagedFile
from podium.datasets.formats.objects.files import MAX_BYTES
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.lists import find_lists, unlisted
from podium.datasets.formats.survey.objects import Draft, find_unlabelled, weigh
from podium.datasets.formats.survey.pairs import base_of, by_stem, find_pairs
from podium.datasets.formats.survey.reading import Reading
from podium.datasets.formats.yolo.annotations import ORIENTED_NUMBERS, open_part, parse
from podium.datasets.formats.yolo.names import YAMLS, Names, read_names
from podium.errors import PodiumError

SAMPLE = 100
"""Text files by which YOLO is told from other text."""
NAME_FILES = ("classes", "labels", "names", "obj", "predefined_classes", "class_names", "_darknet")
"""How texts with a class's name in each line are called, but for their ending."""
MAX_TRIED = 5
"""Files of each kind that are tried for names, those nearest to the top."""
NAME_ENDINGS = (".txt", ".names", ".labels")


def find(contents: Contents) -> list[Reading]:
    """Find folders of text files with boxes, and those of their images."""
    texts = [name for name in contents.files if name.lower().endswith(".txt") and base_of(name) not in NAME_FILES]
    stems = by_stem(contents) if len(texts) > 1 else {}
    files = [name for name in texts if base_of(name) in stems]
    lines = _sample(contents, files)
    if not lines:
        return []
    notes: list[str] = []
    doubts: list[str] = []
    names = _find_names(contents, lines, notes, doubts)
    pairs = find_pairs(stems, files, notes, doubts, partial(_declared, names))
    if not pairs:
        return []
    if len({*names.folders.values()}) < len(names.folders):
        notes.append(f"'{names.source}' gives several parts the same folder; its images are in the first of them.")
    if all(len(line) == ORIENTED_NUMBERS for line in lines):
        doubts.append(
            "Each object has four corners: its box is oriented, or a polygon. podium has upright boxes alone, and "
            "takes the one around it."
        )
    lists = find_lists(contents, pairs["train"].images, notes) if len(pairs) == 1 else {}
    if lists:
        pairs = dict.fromkeys(lists, pairs["train"])
    folders: Folders = {part: pair.images for part, pair in pairs.items()}
    annotations: Folders = {part: pair.annotations for part, pair in pairs.items()}
    parts = {
        part: open_part(contents.archive, pair.images, pair.annotations, names, lists.get(part, ""), lists.values())
        for part, pair in pairs.items()
    }
    if "test" not in folders and (bare := find_unlabelled(contents, folders)):
        folders["unlabelled"] = bare
    aside = dict.fromkeys(files, "annotations of images")
    aside |= dict.fromkeys(lists.values(), "a list of a part's images")
    if lists:
        aside |= unlisted(contents, pairs["train"].images, parts)
    if names.source:
        aside[names.source] = "the names of the classes"
    return weigh(
        contents,
        Draft(
            "YOLO",
            lambda objects: YoloFormat(
                kind="yolo",
                folders=folders,
                annotations=annotations,
                objects=objects,
                names=names.source or None,
                lists=lists or None,
            ),
            parts,
            folders,
            aside,
            notes,
            doubts,
        ),
    )


def _sample(contents: Contents, files: list[str]) -> list[list[str]]:
    """Give the lines of some files, each as its words; none if most are no YOLO."""
    lines: list[list[str]] = []
    good = looked = 0
    for name in files[:: max(1, len(files) // SAMPLE)][:SAMPLE]:
        looked += 1
        try:
            data = contents.archive.read(name) if contents.archive.size(name) <= MAX_BYTES else b"?"
        except DamagedFile:
            continue
        if not parse(data, name, Names()).fault:
            good += 1
            lines += [line.split() for line in data.decode("utf-8-sig", errors="replace").splitlines() if line.strip()]
    return lines if 2 * good > looked else []


def _declared(names: Names, images: str) -> Part | None:
    """Tell the part that `data.yaml` gives to a folder of images; it may write the path from another place."""
    own = images.split("/")
    same: dict[Part, int] = {}
    for part, folder in names.folders.items():
        given = [name for name in folder.replace("\\", "/").split("/") if name not in ("", ".", "..")]
        length = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(given[::-1], own[::-1], strict=False)))
        if length >= 2 or (length and length in (len(given), len(own))):
            same[part] = length
    best = [part for part, length in same.items() if length == max(same.values())]
    return best[0] if best else None


def _find_names(contents: Contents, lines: Iterable[list[str]], notes: list[str], doubts: list[str]) -> Names:
    """Find the file with the names of the classes."""
    highest = max(int(float(line[0])) for line in lines)
    yamls = [name for name in contents.files if name.lower().endswith(YAMLS)]
    plain = [name for name in contents.files if name.lower().endswith(NAME_ENDINGS) and base_of(name) in NAME_FILES]
    plain += [name for name in contents.files if name.lower().endswith(".names") and name not in plain]
    found: list[Names] = []
    for name in [*sorted(yamls, key=len)[:MAX_TRIED], *sorted(plain, key=len)[:MAX_TRIED]]:
        try:
            found.append(read_names(contents.archive, name))
        except PodiumError:  # another file of settings
            continue
    if not found:
        notes.append("No file names the classes (data.yaml, classes.txt, obj.names); their numbers are the labels.")
        return Names()
    names = found[0]
    if lacking := [number for number in range(highest + 1) if number == highest and names.find(number) is None]:
        doubts.append(f"Objects have the class {lacking[0]}, which has no name in '{names.source}'.")
    if names.count is not None and names.count != len(names.of):
        notes.append(f"'{names.source}' announces {names.count} classes and names {len(names.of)}.")
    if other := next((each for each in found if {**each.of} != {**names.of}), None):
        doubts.append(f"'{names.source}' and '{other.source}' name the classes otherwise; the first is taken.")
    return names
