"""Stage `download`: bring a dataset here as it is delivered."""

import logging
import shutil

from podium.config import load_params
from podium.config.datasets import KaggleSource
from podium.datasets.provenance import find_same, save_provenance
from podium.datasets.sources import fetch
from podium.files import atomic_write
from podium.paths import DatasetPaths

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Fill the raw folder of the dataset `name`, and write down what arrived."""
    dataset = load_params().dataset(name)
    paths = DatasetPaths(name)
    with atomic_write(paths.raw) as folder:
        folder.mkdir()
        here = find_same(dataset.source, paths.raw.parent) if isinstance(dataset.source, KaggleSource) else None
        if here:
            shutil.copyfile(here, folder / here.name)
            what = f"{here}, which is the same"
        else:
            what = fetch(dataset.source, folder, paths.downloads)
    save_provenance(dataset.source, paths.raw, paths.lock)
    logger.info("download %s: took %s, wrote %s", name, what, paths.raw)
