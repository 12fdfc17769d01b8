"""JSON files that name images and their objects, as COCO has them."""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from os.path import commonpath
from pathlib import PurePosixPath

from podium.config.datasets import CocoFormat, Folders, Part
from podium.datasets.archive import DamagedFile
from podium.datasets.formats.coco.annotations import Table, open_part, read_table
from podium.datasets.formats.objects.files import inside
from podium.datasets.formats.objects.part import Annotated
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.objects import Draft, find_unlabelled, weigh
from podium.datasets.formats.survey.reading import WRITTEN_DOWN, Reading
from podium.datasets.formats.survey.words import part_of_path, with_train
from podium.errors import PodiumError

START_BYTES = 1 << 16
"""Bytes of a JSON by which COCO's is told from others: 64 KiB."""
LISTS = (b'"images"', b'"annotations"', b'"categories"')
KEYS = (b'"file_name"', b'"image_id"', b'"supercategory"')
MAX_STARTED = 200
"""JSON files whose start is looked at: with more, there is one an image, which is not COCO."""
MAX_READ = 20
"""Of those, files that are read."""
VOTERS = 200
"""Images of a JSON by which the folder is found that its paths are relative to."""
MAX_NAMESAKES = 20


def find(contents: Contents) -> list[Reading]:
    """Find the JSON of each part, and the folders of its images."""
    notes: list[str] = []
    tables, refused = _tables(contents, notes)
    if not tables:
        return refused
    images = defaultdict(list)
    for name in contents.tree.all_images():
        images[_base(name)].append(name)
    doubts: list[str] = []
    parts: dict[Part, tuple[str, str, Table]] = {}
    for name, table in sorted(tables.items(), key=lambda item: _worth(*item), reverse=True):
        part = part_of_path(name) or ("train" if len(tables) == 1 else None)
        folder = _folder(name, table, images, doubts) if part and part not in parts else None
        if part is None or part == "unlabelled" or folder is None:
            notes.append(f"'{name}' is left aside: {_why_not(part, folder, parts)}.")
        else:
            parts[part] = (name, folder, table)
    if not parts:
        there = [name for name, table in tables.items() if _folder(name, table, images, [])]
        doubt = "; ".join(f"'{name}'" for name in there[:3]) + ": several JSON files, and their names tell no part."
        return [_refuse(there[0], 0, [doubt])] if there else []
    parts = with_train(parts, {part: len(table.images) for part, (_, _, table) in parts.items()}, notes)
    annotated = {
        part: open_part(contents.archive, folder, name, table) for part, (name, folder, table) in parts.items()
    }
    if moved := sum(inside(image, parts[part][1]) != path for part, image, path in _found(annotated)):
        notes.append(f"{moved:,} images do not lie where their JSON says; they are found by their names.")
    if strays := sum(table.strays for _, _, table in parts.values()):
        notes.append(f"{strays:,} objects are of images that their JSON does not name.")
    folders: Folders = {part: folder for part, (_, folder, _) in parts.items()}
    annotations: Folders = {part: name for part, (name, _, _) in parts.items()}
    if "test" not in folders and (bare := find_unlabelled(contents, folders)):
        folders["unlabelled"] = bare
    return weigh(
        contents,
        Draft(
            "COCO",
            lambda objects: CocoFormat(kind="coco", folders=folders, annotations=annotations, objects=objects),
            annotated,
            folders,
            dict.fromkeys(tables, "annotations of images"),
            notes,
            doubts,
            limit=sys.maxsize,
        ),
    )


def _tables(contents: Contents, notes: list[str]) -> tuple[dict[str, Table], list[Reading]]:
    """Read what is COCO's; for one that is too large, give the reading that says so."""
    names = [name for name in contents.files if name.lower().endswith(".json")]
    tables: dict[str, Table] = {}
    refused: list[Reading] = []
    for name in [name for name in names if len(names) <= MAX_STARTED and _starts_as_coco(contents, name)][:MAX_READ]:
        try:
            table = read_table(contents.archive, name)
        except PodiumError as error:
            notes.append(f"'{name}' is left aside: {error}")
            refused.append(_refuse(name, 0, [str(error)]))
        else:
            tables[name] = table
    return tables, refused


def _starts_as_coco(contents: Contents, name: str) -> bool:
    try:
        with contents.archive.open(name) as file:
            start = file.read(START_BYTES)
    except DamagedFile:
        return False
    is_object = start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    return is_object and any(list_ in start for list_ in LISTS) and any(key in start for key in KEYS)


def _refuse(name: str, images: int, doubts: list[str]) -> Reading:
    what = f"the objects in '{name}', as COCO annotations tell, give each image its label"
    return Reading(format=None, what=what, images=images, strength=WRITTEN_DOWN, doubts=doubts)


def _worth(name: str, table: Table) -> tuple[bool, int, int]:
    """Say how likely a JSON tells the classes: rather one of instances than of keypoints, then one that tells more."""
    return "instances" in name.lower(), len(table.categories), sum(tally.count for tally in table.images.values())


def _folder(table: str, content: Table, images: dict[str, list[str]], doubts: list[str]) -> str | None:
    """Find the folder that a JSON's paths are relative to: with most of its images, then with the likest path."""
    paths = [*content.images]
    voters = paths[:: max(1, len(paths) // VOTERS)]
    votes: Counter[str] = Counter()
    alone: set[str] = set()
    for path in voters:
        for image in images.get(_base(path), ())[:MAX_NAMESAKES]:
            if image == path:
                votes["."] += 1
            elif image.endswith(f"/{path}"):
                votes[image.removesuffix(f"/{path}")] += 1
        if len(images.get(_base(path), ())) == 1:
            alone.add(str(PurePosixPath(images[_base(path)][0]).parent))
    if 2 * max(votes.values(), default=0) < len(voters):  # paths from another disk, or names alone
        return None if not alone else "." if "." in alone else commonpath(alone) or "."
    rivals = [place for place, count in votes.items() if count == max(votes.values())]
    ranked = sorted(rivals, key=lambda place: (_likeness(place, table), place), reverse=True)
    if len(ranked) > 1 and _likeness(ranked[0], table) == _likeness(ranked[1], table):
        doubts.append(f"The paths of '{table}' may be of the images in '{ranked[0]}' or '{ranked[1]}'.")
    return ranked[0]


def _likeness(folder: str, table: str) -> tuple[bool, bool, bool]:
    beside = str(PurePosixPath(table).parent)
    return beside == folder, part_of_path(folder) == part_of_path(table), "image" in folder.lower()


def _found(annotated: Mapping[Part, Annotated]) -> Iterator[tuple[Part, str, str]]:
    for part, each in annotated.items():
        for image, path in each.pairs.found.items():
            yield part, image, path


def _why_not(part: Part | None, folder: str | None, parts: Iterable[Part]) -> str:
    if part is None or part == "unlabelled":
        return "its name tells no part"
    if part in parts:
        return f"another JSON is about the images of {part}"
    return "the images that it names are not in the archive"


def _base(name: str) -> str:
    return name.rpartition("/")[2].casefold()
