"""Small synthetic datasets, and pages that name them."""

import hashlib
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from podium.config.datasets import ArchiveFirstSplit, ArchiveSource, Dataset, Image, PixelCsvFormat, StratifiedSplit
from podium.config.limits import Limits, Validation
from podium.config.models import CnnModel, DenseModel, MobilenetModel
from podium.config.schedules import Phase, Schedule
from podium.datasets.arrays import SPLITS, SplitWriter, open_split
from podium.datasets.validation.manifest import save_manifest
from podium.paths import ADDITIONS, ADDITIONS_COLUMNS, REVIEW_COLUMNS

REPOSITORY = Path(__file__).parents[1]
TEST_DATA = Path(os.environ.get("PODIUM_TEST_DATA", REPOSITORY.parent / "shared" / "data"))

SIDE = 4
CLASSES = {"0": "left", "1": "right", "2": "both"}
LAYOUT = PixelCsvFormat(kind="pixel_csv", files={"train": "train.csv"}, label_column="label")
STRATIFIED = StratifiedSplit(kind="stratified", validation=0.25, test=0.25, seed=0)
ARCHIVE_SPLIT = ArchiveFirstSplit(kind="archive_first", validation_from="test", count=6)
DENSE = DenseModel(kind="dense", units=[8], dropout=0.1)
CNN = CnnModel(kind="cnn", filters=[4, 8], dropout=0.1)
MOBILENET = MobilenetModel(
    kind="mobilenet", size=32, interpolation="bicubic", units=[8], scaling="imagenet", weights="random"
)


NO_REVIEW = pd.DataFrame(columns=["id", "sha256", "decision", "note", "line"])
"""Nobody decided anything."""


def make_dataset(**changes: Any) -> Dataset:
    """Name a dataset of small gray images; changes replace its keys."""
    keys = {
        "source": ArchiveSource(kind="archive", path="incoming"),
        "format": LAYOUT,
        "target": "label",
        "classes": CLASSES,
        "image": Image(height=SIDE, width=SIDE, channels=1, resize="stretch"),
        "split": STRATIFIED,
        "validation": make_validation(),
        "reference": [],
    }
    return Dataset(**(keys | changes))


def make_validation(
    *, critical: dict[str, Any] | None = None, warning: dict[str, Any] | None = None, **changes: Any
) -> Validation:
    """Expect what images of this size can keep; changes replace its keys, `critical` and `warning` add to theirs."""
    keys = {"duplicate_distance": 0, "quarantine": 0.0, **changes}
    return Validation(
        **keys,
        critical=Limits(**({"minimum_per_class": 2, "exact_duplicates": 0.0} | (critical or {}))),
        warning=Limits(
            **({"maximum_imbalance": 2.0, "near_duplicates": 0.0, "label_conflicts": 0.0} | (warning or {}))
        ),
    )


def make_phase(**changes: Any) -> Phase:
    """Name two epochs of everything; changes replace its keys."""
    keys = {"name": "fit", "trainable": "all", "epochs": 2, "optimizer": "adam", "learning_rate": 0.01}
    return Phase(**(keys | {"decay": "constant"} | changes))


def make_schedule(*phases: Phase, **changes: Any) -> Schedule:
    """Name a schedule, by default of one phase; changes replace its keys."""
    keys = {"seed": 0, "batch_size": 16, "steps_per_epoch": None, "augmentation": None, "box_weight": None}
    return Schedule(**(keys | {"phases": [*phases] or [make_phase()]} | changes))


def make_images(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw images that can be told apart: images (count, SIDE, SIDE, 1) uint8 and labels (count,), in turns."""
    labels = np.arange(count) % len(CLASSES)
    images = np.random.default_rng(seed).integers(0, 100, (count, SIDE, SIDE, 1), dtype=np.uint8)
    images[labels != 1, :, : SIDE // 2] += 150
    images[labels != 0, :, SIDE // 2 :] += 150
    return images, labels


def make_rows(count: int, seed: int = 0) -> list[list[str]]:
    """Write images as the cells of a table."""
    images, labels = make_images(count, seed)
    return [[str(label), *map(str, image.ravel())] for image, label in zip(images, labels, strict=True)]


def make_table(rows: Sequence[Sequence[str]], columns: Sequence[str] | None = None, end: str = "\n") -> str:
    """Write a CSV table; its columns are by default the label and SIDE × SIDE pixels."""
    header = columns or ["label", *(f"pixel{number + 1}" for number in range(SIDE**2))]
    return "".join(",".join(cells) + end for cells in [header, *rows])


def make_archive(raw: Path, **tables: str | bytes) -> Path:
    """Put tables (train="…" is train.csv) into the archive of a raw folder; give the folder."""
    raw.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(raw / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables.items():
            archive.writestr(f"{name}.csv", text)
    return raw


BOXES = [(0, 0, SIDE / 2, SIDE), (SIDE / 2, 0, SIDE / 2, SIDE), (0, 0, SIDE, SIDE)]
"""Where the light of `make_images` is, by label: left, top, width, height in pixels."""


def make_arrays(processed: Path, count: int = 48, *, boxes: bool = False) -> Path:
    """Fill a processed folder as `preprocess` does, each split with other images; give the folder."""
    for seed, name in enumerate(SPLITS):
        images, labels = make_images(count, seed)
        ids = [f"{name}-{row}" for row in range(count)]
        with SplitWriter(processed / name, (SIDE, SIDE, 1), ids, boxes=boxes) as writer:
            for image, label in zip(images, labels, strict=True):
                writer.write(image, int(label), BOXES[label] if boxes else ())
    (processed / "classes.json").write_text('["left", "right", "both"]\n', encoding="utf-8")
    (processed / "split.csv").write_text("id,sha256,split,reason\n", encoding="utf-8")
    return processed


def make_manifest(processed: Path, path: Path) -> None:
    """Write what `evaluate` needs of the manifest of some arrays: no two images are alike."""
    ids = np.concatenate([open_split(processed / name).ids for name in SPLITS])
    facts = {"id": ids, "sha256": [f"{row:064x}" for row in range(len(ids))], "group": np.arange(len(ids))}
    measures = dict.fromkeys(("width", "height", "brightness", "contrast", "sharpness"), SIDE)
    save_manifest(pd.DataFrame(facts | measures), path)


def make_page(root: Path, train: str, test: str | None = None) -> dict[str, Any]:
    """Put the dataset `dots` into a project: its tables, and a page with two candidates; give the page's content."""
    tables = {"train": train} if test is None else {"train": train, "test": test}
    incoming = root / "incoming"
    incoming.mkdir(exist_ok=True)
    make_review(root)
    for name, text in tables.items():
        (incoming / f"{name}.csv").write_text(text)
    phase = {"name": "fit", "trainable": "all", "epochs": 2, "optimizer": "adam", "learning_rate": 0.01}
    schedule = {"seed": 0, "batch_size": 16, "steps_per_epoch": None, "augmentation": None, "box_weight": None}
    page = {
        "datasets": {
            "dots": {
                "source": {"kind": "archive", "path": "incoming"},
                "format": {
                    "kind": "pixel_csv",
                    "files": {name: f"{name}.csv" for name in tables},
                    "label_column": "label",
                },
                "target": "label",
                "classes": CLASSES,
                "image": {"height": SIDE, "width": SIDE, "channels": 1, "resize": "stretch"},
                "split": {"kind": "stratified", "validation": 0.25, "test": 0.25, "seed": 0},
                "validation": {
                    "duplicate_distance": 0,
                    "quarantine": 0.0,
                    "critical": {"minimum_per_class": 2, "exact_duplicates": 0.0},
                    "warning": {"maximum_imbalance": 2.0, "near_duplicates": 0.0, "label_conflicts": 0.0},
                },
                "reference": [],
            }
        },
        "schedules": {"short": schedule | {"phases": [phase | {"decay": "constant"}]}},
        "candidates": {
            "dots-dense": {
                "dataset": "dots",
                "model": {"kind": "dense", "units": [8], "dropout": 0.0},
                "schedule": "short",
            }
        },
    }
    save_page(root, page)
    return page


def peak_memory() -> int:
    """Give this process's own peak, in bytes. getrusage() begins with that of the process that started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def make_review(root: Path, *lines: str) -> None:
    """Write what people decided about images of a project, by default nothing; and at first that they added none."""
    (root / "data").mkdir(exist_ok=True)
    (root / "data/review.csv").write_text("".join(f"{line}\n" for line in (",".join(REVIEW_COLUMNS), *lines)))
    if not (root / ADDITIONS).exists():
        (root / ADDITIONS).write_text(",".join(ADDITIONS_COLUMNS) + "\n")


def add_labels(root: Path, name: str, *images: tuple[str, bytes]) -> list[str]:
    """Add images with their labels to a dataset of a project, as `podium feedback --accept` does; give their ids."""
    folder = root / "data/additions" / name
    folder.mkdir(parents=True, exist_ok=True)
    ids = []
    with (root / ADDITIONS).open("a") as table:
        for label, data in images:
            digest = hashlib.sha256(data).hexdigest()
            (folder / f"{digest}.png").write_bytes(data)
            table.write(f"{name},{label},{digest},{digest}.png\n")
            ids.append(f"additions/{digest}.png")
    return ids


def save_page(root: Path, page: dict[str, Any]) -> None:
    """Write a page's content as the project's params.yaml."""
    (root / "params.yaml").write_text(yaml.safe_dump(page, sort_keys=False), encoding="utf-8")
