"""Stage `preprocess`: images to arrays of one size, by split; and what the dataset is, for other programs."""

import logging
from itertools import chain

from podium.config import load_params
from podium.datasets.additions import read_additions
from podium.datasets.arrays import SPLITS
from podium.datasets.croissant import save_croissant
from podium.datasets.formats import BOX_COLUMNS, read_validated
from podium.datasets.masks import is_added
from podium.datasets.preprocessing import write_arrays
from podium.datasets.validation.manifest import load_manifest
from podium.files import atomic_write
from podium.paths import DatasetPaths

logger = logging.getLogger(__name__)

NEEDED = ("id", "part", "label", "sha256", "format", "mode", "width", "height", "left_out", "split", "reason")


def main(name: str) -> None:
    """Write the arrays of the dataset `name`, and its metadata."""
    dataset, paths = load_params().dataset(name), DatasetPaths(name)
    manifest = load_manifest(paths.manifest, (*NEEDED, *BOX_COLUMNS) if dataset.target == "label_and_box" else NEEDED)
    assigned = manifest[["id", "sha256", "split", "reason"]]
    with atomic_write(paths.processed, resume=True) as folder:
        wanted, added = assigned["split"].isin(SPLITS), is_added(manifest)
        images = read_validated(paths.raw, dataset.format, manifest[~added], wanted[~added])
        write_arrays(chain(images, read_additions(paths, manifest[added])), manifest, assigned, dataset, folder)
    with atomic_write(paths.croissant) as file:
        save_croissant(name, dataset, manifest, assigned, file)
    counts = assigned["split"].value_counts()
    logger.info(
        "preprocess %s: read %s images, put %s in train, %s in validation, %s in test, wrote %s",
        *(name, f"{len(manifest):,}", *(f"{counts[split]:,}" for split in SPLITS), paths.processed),
    )
