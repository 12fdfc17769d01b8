"""Stage `download`: bring a dataset here as it is delivered."""

import logging

from podium.config import load_params
from podium.paths import DatasetPaths, written_whole
from podium.sources import fetch

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Fill the raw folder of the dataset `name`."""
    dataset = load_params().dataset(name)
    raw = DatasetPaths(name).raw
    with written_whole(raw) as folder:
        folder.mkdir()
        what = fetch(dataset.source, folder)
    logger.info("download %s: took %s, wrote %s", name, what, raw)
