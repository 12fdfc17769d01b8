"""What a first page says of a dataset, chosen by its manifest."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.config.datasets import (
    ArchiveDrawnSplit,
    ArchiveHashedSplit,
    ArchiveSplit,
    Format,
    HashedSplit,
    Image,
    Split,
    StratifiedSplit,
)
from podium.config.models import CnnModel, PhotoCnnModel
from podium.config.schedules import Augmentation, Phase, Schedule
from podium.datasets.formats import BOX_COLUMNS
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.masks import area_inside, aspect, has_label, is_readable
from podium.datasets.splits import assign_splits
from podium.datasets.starter.seeds import choose_seed
from podium.datasets.validation.duplicates import find_pairs, group
from podium.datasets.validation.limits import choose_distance
from podium.datasets.validation.manifest import as_seen
from podium.errors import PodiumError
from podium.images.phash import unpack

MAX_KEPT_SIDE_PIXELS = 256
"""Pixels: images that all have one size keep it, up to this height and width."""
SIDES_PIXELS = (128, 96, 64, 32)
MIN_ASPECT_SPREAD = 2.0
"""Shapes vary much if the widest twentieth of the images is so many times wider, for its height, than the tallest."""
DRAWN_SPLIT_SHARES = (0.15, 0.2, 0.25, 0.3)
"""Of the images, for each split that is drawn; the greater ones where a class is too small for the first."""
MAX_GROUPED_IMAGES = 20_000
"""Images among which near-duplicates are looked for before a split is chosen; in more, every class has enough."""


def labelled_rows(manifest: pd.DataFrame) -> pd.DataFrame:
    """Give the images that can be used and have a label."""
    return manifest[is_readable(manifest) & has_label(manifest) & (manifest["label"] != "")]


def choose_classes(labels: Iterable[str], layout: Format, names: Mapping[str, str] | None = None) -> dict[str, str]:
    """Put the labels in natural order, each named as the archive writes it, or as it says elsewhere in `names`.

    Raises:
        PodiumError: there is only one, or two differ in upper and lower case only.
    """
    ordered = sorted(set(labels), key=natural)
    if len(ordered) < 2:
        found = f"only the label '{ordered[0]}'" if ordered else "no image that can be used and has a label"
        raise PodiumError(
            f"The archive has {found}; expected two classes at least. If its labels are elsewhere, write "
            "params.yaml by hand: docs/your-own-dataset.md."
        )
    alike: dict[str, str] = {}
    for label in ordered:
        other = alike.setdefault(unicodedata.normalize("NFC", label).casefold(), label)
        if other == label:
            other = alike.setdefault(f"looks like {_looks(label)}", label)
        if other != label:
            how = (
                "in upper and lower case"
                if other.casefold() == label.casefold()
                else "in blanks or letters that look alike"
            )
            raise PodiumError(
                f"The labels '{other}' and '{label}' differ {how} only. Expected one label a class: "
                "unpack the archive, give their images one label, and `podium init FOLDER`."
            )
    if layout.kind == "digit_struct" and "10" in ordered and "0" not in ordered:
        return {label: "0" if label == "10" else label for label in ordered}
    if names and len({names.get(label, label).casefold() for label in ordered}) == len(ordered):
        return {label: names.get(label) or label for label in ordered}
    return {label: label for label in ordered}


_LOOK_ALIKE = str.maketrans("аеорсухіјѕАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "aeopcyxijsabekmhopctxijsabezhikmnoptyxo")
"""Letters of other alphabets, and the Latin ones that they look like."""


def _looks(label: str) -> str:
    """Give what a label looks like: without other alphabets' letters, blanks around and twice."""
    text = unicodedata.normalize("NFKC", label).translate(_LOOK_ALIKE).casefold()
    return " ".join(re.sub(r"[\u200b-\u200f\ufeff]", "", text).split())


def natural(label: str) -> tuple[object, ...]:
    """Order '2' before '10'. Numbers are compared by length and digits: int() takes no more than 4,300 of them."""
    words = re.split(r"([0-9]+)", label.casefold())
    numbers = [word.lstrip("0") for word in words[1::2]]
    return (*zip(words[::2], [(len(number), number) for number in numbers] + [(0, "")], strict=True), label)


def choose_target(labelled: pd.DataFrame) -> tuple[Literal["label", "label_and_box"], list[str]]:
    """Predict the box, too, where every image has one that holds a pixel of it.

    Returns:
        The target, and a sentence if there are boxes that are not used.
    """
    missing = labelled[[*BOX_COLUMNS]].isna().any(axis=1)
    if missing.all():
        return "label", []
    bad = ~missing & ~(area_inside(labelled) >= 1)
    told = []
    for rows, what in ((bad, "images have their box outside of them"), (missing, "images have no box drawn on them")):
        if rows.any():
            told.append(f"{rows.sum():,} {what}, such as '{labelled.loc[rows, 'id'].iloc[0]}'; no box is used.")
    return ("label", told) if told else ("label_and_box", [])


def choose_image(labelled: pd.DataFrame) -> Image:
    """Keep the size that all images have if it is small; else take a square that most need not grow to."""
    height, width = labelled["height"], labelled["width"]
    channels: Literal[1, 3] = 1 if (labelled["channels"] == 1).all() else 3
    if height.nunique() == width.nunique() == 1 and max(height.iloc[0], width.iloc[0]) <= MAX_KEPT_SIDE_PIXELS:
        return Image(height=int(height.iloc[0]), width=int(width.iloc[0]), channels=channels, resize="stretch")
    shorter = labelled[["height", "width"]].min(axis=1).median()
    side = next((side for side in SIDES_PIXELS if side <= shorter), SIDES_PIXELS[-1])
    return Image(
        height=side, width=side, channels=channels, resize="pad" if spread(labelled) > MIN_ASPECT_SPREAD else "stretch"
    )


def spread(labelled: pd.DataFrame) -> float:
    """Say how much the images' shapes vary: width by height, at the 95th percentile by that at the 5th."""
    narrow, wide = aspect(labelled).quantile([0.05, 0.95])
    return float(wide / narrow)


def choose_split(manifest: pd.DataFrame) -> tuple[Split, str]:
    """Respect the archive's own parts, and draw what it lacks: so that it is kept when the dataset grows, if it can be.

    Args:
        manifest: the images that can be used.

    Returns:
        The split, and why the images cannot be split so; empty if they can.
    """
    parts = set(manifest["part"]) - {UNLABELLED}
    if {"test", "validation"} <= parts:
        splits: list[Split] = [ArchiveSplit(kind="archive")]
    else:
        splits = [*_sticky(manifest, parts), *_drawn_by_class(parts)]
    reason = ""
    for split in splits:
        try:
            assign_splits(as_seen(manifest), split)
        except PodiumError as error:
            reason = reason or str(error)
        else:
            return split, ""
    return splits[0], reason


def _sticky(manifest: pd.DataFrame, parts: set[str]) -> list[Split]:
    """Give the sticky split by which every class has images in every split, if there is one."""
    images = labelled_rows(manifest)
    images = images.assign(group=_groups(images))
    if test := _test_of(parts):
        images = images[images["part"] == "train"]
    found = choose_seed(images, [(share, 0.0 if test else share) for share in DRAWN_SPLIT_SHARES])
    if found is None:
        return []
    validation, share, seed = found
    if test:
        return [ArchiveHashedSplit(kind="archive_hashed", test_from=test, validation=validation, seed=seed)]
    return [HashedSplit(kind="hashed", validation=validation, test=share, seed=seed)]


def _drawn_by_class(parts: set[str]) -> list[Split]:
    if test := _test_of(parts):
        share = DRAWN_SPLIT_SHARES[0]
        return [
            ArchiveDrawnSplit(kind="archive_drawn", test_from=test, validation=share, stratify=stratify, seed=0)
            for stratify in (True, False)
        ]
    return [StratifiedSplit(kind="stratified", validation=share, test=share, seed=0) for share in DRAWN_SPLIT_SHARES]


def _test_of(parts: set[str]) -> Literal["test", "validation"] | None:
    """Say which part of the archive is its test, if one is."""
    return "test" if "test" in parts else "validation" if "validation" in parts else None


def _groups(images: pd.DataFrame) -> NDArray[np.int64]:
    """Group near-duplicates as validation will; each image by itself where there are many."""
    if len(images) > MAX_GROUPED_IMAGES:
        return np.arange(len(images))
    return group(len(images), find_pairs(unpack(images["hash"]), choose_distance(images)))


def choose_schedule(*, boxes: bool) -> Schedule:
    """Train ten epochs on images that are moved about a little; not flipped, which would change letters."""
    fit = Phase(name="fit", trainable="all", epochs=10, optimizer="adam", learning_rate=0.001, decay="cosine")
    moved = Augmentation(rotate=10.0, shift=0.1, zoom=0.1)
    return Schedule(
        seed=0, batch_size=32, steps_per_epoch=None, augmentation=moved, box_weight=0.5 if boxes else None, phases=[fit]
    )


def choose_model(image: Image) -> CnnModel | PhotoCnnModel:
    """Take as many blocks as halve the images to a few pixels."""
    side = min(image.height, image.width)
    if side > 48:
        return PhotoCnnModel(kind="photo_cnn", filters=[32, 64, 128, 256], dropout=0.3)
    filters = [32, 64, 128] if side > 16 else [16, 32]
    return CnnModel(kind="cnn", filters=filters[: max(1, side.bit_length())], dropout=0.3)
