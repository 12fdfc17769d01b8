"""What a folder or a table is for, told by the words of its name: to train, to choose, to measure, to mark."""

import re
from collections.abc import Iterable
from typing import TypeVar, get_args

from podium.config.datasets import Part

Thing = TypeVar("Thing")

PARTS: dict[str, Part] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation", "holdout"), "test"),
    **dict.fromkeys(("unlabelled", "unlabeled", "pred", "predict", "prediction"), "unlabelled"),
}
"""What a word in lower case stands for."""
HOLDERS = {
    *("image", "images", "img", "imgs", "picture", "pictures", "pic", "pics", "photo", "photos", "jpeg", "jpg", "png"),
    *("data", "dataset", "datasets", "set", "folder", "folders", "dir", "file", "files", "input", "output", "frames"),
    *("raw", "original", "originals", "processed", "preprocessed", "augmented", "aug", "resized", "cropped", "all"),
    *("thumbnail", "thumbnails", "thumbs", "sample", "samples", "split", "splits"),
}
"""Words of folders that hold things, whatever these show."""
_SURE_HOLDERS = {"image", "images", "img", "imgs", "picture", "pictures", "photos", "data", "dataset", "files", "jpeg"}
MARKS = {
    *("mask", "masks", "annotation", "annotations", "annotated", "label", "labels", "trimap", "trimaps", "gt"),
    *("segmentation", "segmentations", "groundtruth", "truth", "contour", "contours", "overlay", "overlays"),
    *("heatmap", "heatmaps", "bbox", "bboxes", "boxes"),
}
"""Words of folders and names whose images mark something in other images."""
PIECES = {
    *("fold", "folds", "part", "parts", "batch", "batches", "group", "split", "chunk", "volume", "vol"),
    *("subset", "set", "section", "session", "series", "shard", "disk", "disc", "patient", "subject", "case"),
    *("scan", "site", "camera", "cam", "seq", "sequence", "video", "clip", "folder", "dir", "block", "images"),
    *("imgs", "img", "data", "dataset"),
}
"""Words that a number follows in the names of pieces of one whole."""


def words_of(name: str) -> list[str]:
    """Give the words of a name in lower case: `TrainImages`, `train_images` and `train-images2` are two words each."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]", name)]


def part_of(name: str) -> Part | None:
    """Tell the part that a name stands for: `seg_train`, `testset`, `test1.zip`. None if it is none, or several."""
    found = {part for word in words_of(name) if (part := _part_of_word(word))}
    return found.pop() if len(found) == 1 else None


def _part_of_word(word: str) -> Part | None:
    """Tell the part that a word stands for, one with `set`, `data` or the like at its end, too."""
    if part := PARTS.get(word):
        return part
    return next(
        (PARTS[start] for end in HOLDERS if word.endswith(end) and (start := word.removesuffix(end)) in PARTS), None
    )


def names_just_a_part(name: str) -> bool:
    """Say whether a name has no word but that of a part, and of what it holds: `train_images`, not `train_station`."""
    return part_of(name) is not None and all(_part_of_word(word) or word in HOLDERS for word in words_of(name))


def names_marks(name: str) -> bool:
    """Say whether a name is one of masks, annotations or the like."""
    return any(word in MARKS for word in words_of(name))


def names_a_holder(name: str) -> bool:
    """Say whether a name is one of a folder that holds things, such as `images` or `raw_data`."""
    words = words_of(name)
    return bool(words) and all(word in HOLDERS or word in MARKS for word in words)


def names_an_image_folder(name: str) -> bool:
    """Say whether a name is one of a folder that holds images or what marks them, and never one of a class."""
    return names_a_holder(name) and any(word in _SURE_HOLDERS or word in MARKS for word in words_of(name))


def find_pieces(names: Iterable[str]) -> list[str]:
    """Give names that are numbered pieces of one whole, such as `fold_1` and `fold_2`; none if there are not two."""
    starts: dict[str, list[str]] = {}
    for name in names:
        if found := re.fullmatch(r"(.*?)[\W_]*\d+", name):
            starts.setdefault(found[1].lower(), []).append(name)
    for start, pieces in starts.items():
        words = words_of(start)
        if len(pieces) > 1 and words and words[-1] in PIECES:
            return pieces
    return []


def part_of_path(path: str) -> Part | None:
    """Tell the part that a path stands for; its last name says most."""
    return next((part for name in reversed(path.split("/")) if (part := part_of(name))), None)


def with_train(parts: dict[Part, Thing], size: dict[Part, int], notes: list[str]) -> dict[Part, Thing]:
    """Put parts in order, and have a train: without one, the largest part with labels becomes it.

    Args:
        parts: one of them has labels.
        size: of each part.
        notes: grows by a sentence if a part is renamed.
    """
    if "train" not in parts:
        largest = max((part for part in parts if part != "unlabelled"), key=lambda part: size[part])
        notes.append(f"The archive has no train; its {largest} is train.")
        parts = {("train" if part == largest else part): thing for part, thing in parts.items()}
    return {part: parts[part] for part in get_args(Part) if part in parts}


def assign_tables(tables: Iterable[tuple[str, int]], notes: list[str]) -> dict[Part, str]:
    """Give each part its table, by the words in the tables' paths; of several, the largest.

    Args:
        tables: paths and sizes.
        notes: grows by a sentence for each table that is left aside.
    """
    parts: dict[Part, str] = {}
    size: dict[Part, int] = {}
    ordered = sorted(tables, key=lambda table: -table[1])
    named = any(part_of_path(table) for table, _ in ordered)
    for table, count in ordered:
        part = part_of_path(table) if named else "train"
        if part is None or part == "unlabelled" or part in parts:
            notes.append(f"The table '{table}' is left aside.")
        else:
            parts[part], size[part] = table, count
    return with_train(parts, size, notes) if parts else {}
