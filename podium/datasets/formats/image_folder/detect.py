"""Images in one folder a class."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial

from podium.config.datasets import ImageFolderFormat, Part
from podium.datasets.formats.image_folder.evidence import (
    doubt_children,
    parts_inside,
    share_folders,
    two_levels,
)
from podium.datasets.formats.survey.contents import Contents, hidden_in_archives
from podium.datasets.formats.survey.parts import find_parts, list_roots
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, PARTS_AGREE, Reading, spread
from podium.datasets.formats.survey.tree import Folder
from podium.datasets.formats.survey.words import find_pieces, names_just_a_part, part_of


def find(contents: Contents) -> list[Reading]:
    """Find class folders, in folders of parts, around them, or without any."""
    tree = contents.tree.top()
    if parts := find_parts(tree, _classes):
        folders: dict[Part, Folder] = {part: folder.top() for part, folder in parts.labelled.items()}
        names = Counter(name for folder in folders.values() for name in folder.folders)
        sure = {name for name, count in names.items() if count > 1}
        doubts = [doubt for folder in folders.values() for doubt in doubt_children(contents.archive, folder, sure)]
        bare = [folder.core() for folder in parts.unlabelled]
        reading = _reading(contents, folders, PARTS_AGREE if len(folders) > 1 else NAMES_SAY_SO, bare)
        reading = replace(reading, notes=parts.notes + reading.notes, doubts=reading.doubts + parts.doubts + doubts)
        return [*_levels(contents, reading, [*folders.values()])]
    return [*_without_parts(contents, tree)]


def _without_parts(contents: Contents, tree: Folder) -> Iterator[Reading]:
    """Read the folders that lie side by side below all wrappers; a flat folder `test` beside them has no labels."""
    bare = [child for child in tree.folders.values() if _has_no_labels(child)]
    children = [child for child in tree.folders.values() if child not in bare]
    if len(children) < 2:
        return
    if inside := parts_inside(children):
        yield _parts_below(contents, tree, children, inside, bare)
        return
    if all(names_just_a_part(child.name) and not child.core().folders for child in children):
        return  # train and test, and no classes in them
    kept = Folder(tree.path, {child.name: child for child in children}, tree.images)
    reading = _leave(_reading(contents, {"train": kept}, NAMES_SAY_SO), bare)
    if shared := share_folders(children):
        yield from _shared(contents, reading, children, shared)
        return
    reading = replace(reading, doubts=reading.doubts + doubt_children(contents.archive, kept))
    yield from _levels(contents, reading, [kept])


def _has_no_labels(folder: Folder) -> bool:
    return part_of(folder.name) in ("test", "unlabelled") and names_just_a_part(folder.name) and not folder.folders


def _leave(reading: Reading, bare: list[Folder]) -> Reading:
    """Leave folders without labels aside."""
    if not bare or not isinstance(reading.format, ImageFolderFormat):
        return reading
    exclude = [*(reading.format.exclude or []), *(f"{folder.path}/*" for folder in bare)]
    notes = [f"'{folder.path}' has no class folders and is left aside: {folder.count:,} images." for folder in bare]
    return replace(
        reading,
        format=replace(reading.format, exclude=exclude),
        images=reading.images,
        aside={**reading.aside, **{folder.path: "images without labels" for folder in bare}},
        notes=[*reading.notes, *notes],
    )


def _shared(contents: Contents, reading: Reading, children: list[Folder], shared: set[str]) -> Iterator[Reading]:
    """Read folders that hold the same folders: these may be the classes, of one of them or of all."""
    names = ", ".join(f"'{name}'" for name in sorted(shared)[:4])
    same = f"'{children[0].name}' and '{children[1].name}' have the same folders in them ({names}, …)"
    roots = [child.top() for child in children if len(child.top().folders) > 1]
    pieces = find_pieces(child.name for child in children)
    parted = any(parts_inside([*root.folders.values()]) for root in roots)
    whole = len(pieces) == len(children) == len(roots) and not parted
    for root in roots[:4] if not whole else ():
        one = _reading(contents, {"train": root}, NAMES_SAY_SO)
        yield replace(one, doubts=[same, *one.doubts])
    if len(roots) > 1:
        paths = [root.path for root in roots]
        layout = ImageFolderFormat(
            kind="image_folder", folders={"train": paths}, exclude=contents.exclude(paths) or None
        )
        together = replace(
            reading,
            format=layout,
            what=f"the folders in {len(paths)} folders together ('{paths[0]}', '{paths[1]}', …) are the classes",
            images=sum(root.count for root in roots),
            doubts=[] if whole else [same],
            samples=partial(_samples, roots),
        )
        if whole:
            note = f"'{pieces[0]}', '{pieces[1]}' and the like hold the same classes and are read together."
            together = replace(together, notes=[*together.notes, note])
        yield together
    yield replace(reading, doubts=[*reading.doubts, same])


def _levels(contents: Contents, reading: Reading, roots: list[Folder]) -> Iterator[Reading]:
    """Give a reading by the first folder, and, where classes may lie in two levels, by the last."""
    below = {root.path: two_levels(root) for root in roots}
    regular = all(each.regular for each in below.values())
    first = next((each for each in below.values() if each.names), None)
    if first is None:
        yield reading
        return
    names = ", ".join(f"'{name}'" for name in first.names[:3])
    note = f"Below '{first.parent}' there are folders {names}; the class is the first folder, '{first.parent}'."
    if not regular:
        yield replace(reading, notes=[*reading.notes, note])
        return
    doubt = f"the classes may be the first folders (such as '{first.parent}') or the last (such as {names})"
    yield replace(reading, doubts=[*reading.doubts, doubt])
    layout = replace(reading.format, class_folder="last")  # type: ignore[type-var] # it is an ImageFolderFormat
    last = f"the last folders are the classes, such as {names}"
    samples = partial(_samples, roots, last=True)
    yield replace(reading, format=layout, what=last, doubts=[*reading.doubts, doubt], samples=samples)


def _parts_below(
    contents: Contents, tree: Folder, children: list[Folder], inside: Mapping[Part, str], bare: list[Folder]
) -> Reading:
    """Read `cat/train`, `cat/test`: the class first, the part below."""
    prefix = "" if tree.path == "." else f"{tree.path}/"
    folders: dict[Part, str | list[str]] = {part: f"{prefix}*/{name}" for part, name in inside.items()}
    parts = [child.folders[name] for child in children for name in inside.values() if name in child.folders]
    names = ", ".join(f"'{child.name}'" for child in children[:3])
    below = ", ".join(f"'{name}'" for name in inside.values())
    count, whole = sum(part.count for part in parts), sum(child.count for child in children)
    return Reading(
        format=ImageFolderFormat(
            kind="image_folder",
            folders=folders | list_roots({}, bare),
            exclude=contents.exclude([tree.path]) or None,
        ),
        what=f"the folders {names}, … are the classes, and each has its {', '.join(inside)}",
        images=count + sum(folder.count for folder in bare),
        strength=PARTS_AGREE,
        aside=contents.aside,
        notes=[f"Each class's folder holds {below}: they are the parts."],
        doubts=[
            *([f"{whole - count:,} images lie in none of these parts"] if count < 0.9 * whole else []),
            *_hidden(contents, [tree]),
        ],
        samples=partial(_samples, [tree]),
    )


def _classes(folder: Folder) -> set[str]:
    return set(folder.top().folders)


def _reading(
    contents: Contents, folders: Mapping[Part, Folder], strength: int, unlabelled: Collection[Folder] = ()
) -> Reading:
    train = folders["train"]
    names = ", ".join(f"'{name}'" for name in [*train.folders][:4])
    where = "" if train.path == "." else f" in '{train.path}'"
    more = ", …" if len(train.folders) > 4 else ""
    parts = f", in {len(folders)} parts ({', '.join(folders)})" if len(folders) > 1 else ""
    layout = ImageFolderFormat(
        kind="image_folder",
        folders=list_roots(folders, [*unlabelled]),
        exclude=contents.exclude(folder.path for folder in (*folders.values(), *unlabelled)) or None,
    )
    return Reading(
        format=layout,
        what=f"{len(train.folders):,} folders{where} are the classes: {names}{more}{parts}",
        images=sum(folder.count for folder in (*folders.values(), *unlabelled)),
        strength=strength,
        aside=contents.aside,
        doubts=_hidden(contents, [*folders.values(), *unlabelled]),
        samples=partial(_samples, [train]),
    )


def _samples(roots: list[Folder], *, last: bool = False) -> dict[str, list[str]]:
    """Give some images of each class, by the first folder below a root or by the last."""
    found: dict[str, list[str]] = {}
    for root in roots:
        for name, folder in root.folders.items():
            places = [folder, *folder.below()] if last else [folder]
            for place in places:
                images = place.images if last else [*place.all_images()]
                found.setdefault(place.name if last else name, []).extend(spread(images))
    return {label: spread(images) for label, images in found.items() if images}


def _hidden(contents: Contents, folders: list[Folder]) -> list[str]:
    hidden = hidden_in_archives(contents.archive, folders)
    return [hidden] if hidden else []
