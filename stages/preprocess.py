"""Stage `preprocess`: pictures to arrays of one size, by split."""

import logging

from podium.config import load_params
from podium.formats import read
from podium.paths import DatasetPaths, written_whole
from podium.preprocessing import write_arrays
from podium.splits import assign_splits
from podium.validation.manifest import load_manifest

logger = logging.getLogger(__name__)

NEEDED = ("id", "part", "label", "sha256", "format", "mode", "width", "height", "group", "left_out")


def main(name: str) -> None:
    """Write the arrays of the dataset `name`."""
    dataset, paths = load_params().dataset(name), DatasetPaths(name)
    manifest = load_manifest(paths.manifest, NEEDED)
    assigned = assign_splits(manifest, dataset.split)
    with written_whole(paths.processed, resume=True) as folder:
        write_arrays(read(paths.raw, dataset.format), manifest, assigned, dataset, folder)
    counts = assigned["split"].value_counts()
    logger.info(
        "preprocess %s: read %d pictures, put %d in train, %d in validation, %d in test, wrote %s",
        *(name, len(manifest), counts["train"], counts["validation"], counts["test"], paths.processed),
    )
