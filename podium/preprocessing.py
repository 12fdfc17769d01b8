"""From pictures as they arrived to arrays of one size, by split."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.arrays import SPLITS, SplitWriter
from podium.config.tables import ArchiveSplit, Dataset, Image, Split, StratifiedSplit
from podium.errors import PodiumError
from podium.formats.example import Example


def assign_splits(manifest: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Decide which split each picture belongs to.

    Args:
        manifest: the dataset's manifest, in the archive's order.
        split: how to split.

    Returns:
        The split manifest: id, sha256, split, reason; one row a picture, in the manifest's order.

    Raises:
        PodiumError: the archive has too few pictures, or lacks the parts that the split takes.
    """
    match split:
        case ArchiveSplit():
            chosen = _take_from_archive(manifest, split)
        case StratifiedSplit():
            chosen = _draw_stratified(manifest, split)
    return pd.concat([manifest[["id", "sha256"]], chosen], axis=1)


def _take_from_archive(manifest: pd.DataFrame, split: ArchiveSplit) -> pd.DataFrame:
    names = manifest["part"].copy()
    available = int((names == split.validation_from).sum())
    if available <= split.count:
        raise PodiumError(
            f"The archive's {split.validation_from} part has {available:,} pictures; {split.count:,} of them cannot "
            "become the validation split with some left. Lower split.count in params.yaml."
        )
    reason = "the archive's own " + names
    first = manifest.index[names == split.validation_from][: split.count]
    names.loc[first] = "validation"
    reason.loc[first] = f"the first {split.count} of the archive's {split.validation_from}"
    missing = [name for name in SPLITS if not (names == name).any()]
    if missing:
        raise PodiumError(f"The archive has no {missing[0]} part. Choose split.kind 'stratified' in params.yaml.")
    return pd.DataFrame({"split": names, "reason": reason})


def _draw_stratified(manifest: pd.DataFrame, split: StratifiedSplit) -> pd.DataFrame:
    from sklearn.model_selection import train_test_split  # one second to import; other splits do without

    everything = np.arange(len(manifest))
    labels = manifest["label"].to_numpy()
    try:
        rest, test = train_test_split(everything, test_size=split.test, random_state=split.seed, stratify=labels)
        share = split.validation / (1 - split.test)
        _, validation = train_test_split(rest, test_size=share, random_state=split.seed, stratify=labels[rest])
    except ValueError as error:
        raise PodiumError(
            f"These pictures cannot be split: {error} Change the dataset's split in params.yaml."
        ) from None
    names = pd.Series("train", index=manifest.index)
    names.iloc[validation] = "validation"
    names.iloc[test] = "test"
    return pd.DataFrame({"split": names, "reason": f"drawn by class, seed {split.seed}"})


def write_arrays(examples: Iterable[Example], assigned: pd.DataFrame, dataset: Dataset, folder: Path) -> None:
    """Write the arrays of every split, the class names and the split manifest.

    Args:
        examples: the dataset's pictures, in the archive's order.
        assigned: the split manifest, in the same order.
        dataset: names the classes and the size of the pictures.
        folder: the processed folder to fill; see `podium.arrays` for what it holds.
    """
    folder.mkdir(parents=True)
    positions = {label: position for position, label in enumerate(dataset.classes)}
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(
                SplitWriter(folder / name, dataset.image.shape, assigned.loc[assigned["split"] == name, "id"].tolist())
            )
            for name in SPLITS
        }
        for example, name in zip(examples, assigned["split"], strict=True):
            assert example.pixels is not None, f"{example.id} passed validation without pixels"  # noqa: S101
            writers[name].write(fit(example.pixels, dataset.image), positions[example.label])
    names = json.dumps(list(dataset.classes.values()), ensure_ascii=False)
    (folder / "classes.json").write_text(names + "\n", encoding="utf-8")
    assigned.to_csv(folder / "split.csv", index=False, lineterminator="\n")


def fit(pixels: NDArray[np.uint8], image: Image) -> NDArray[np.uint8]:
    """Bring a picture to the asked size and number of channels.

    Args:
        pixels: (height, width, 1 or 3) uint8; three channels are red, green, blue.
        image: the size to reach. Growing is bilinear; shrinking averages the area.

    Returns:
        (image.height, image.width, image.channels) uint8.
    """
    height, width, channels = pixels.shape
    if (height, width) != (image.height, image.width):
        shrinks = image.height * image.width < height * width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        pixels = cv2.resize(pixels, (image.width, image.height), interpolation=how)
        pixels = pixels.reshape(image.height, image.width, channels)
    if channels == 1 and image.channels == 3:
        return np.repeat(pixels, 3, axis=2)
    if channels == 3 and image.channels == 1:
        gray: NDArray[np.uint8] = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return gray[..., np.newaxis]
    return pixels
