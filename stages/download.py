"""Stage `download`: bring a dataset here as it is delivered."""

import logging
import shutil

from podium.config import load_params
from podium.config.tables import KaggleSource
from podium.locks import find_same, save_lock
from podium.paths import DatasetPaths, written_whole
from podium.sources import fetch

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Fill the raw folder of the dataset `name`, and write down what arrived."""
    dataset = load_params().dataset(name)
    paths = DatasetPaths(name)
    with written_whole(paths.raw) as folder:
        folder.mkdir()
        here = find_same(dataset.source, paths.raw.parent) if isinstance(dataset.source, KaggleSource) else None
        if here:
            shutil.copyfile(here, folder / here.name)
            what = f"{here}, which is the same"
        else:
            what = fetch(dataset.source, folder, paths.downloads)
    save_lock(dataset.source, paths.raw, paths.lock)
    logger.info("download %s: took %s, wrote %s", name, what, paths.raw)
