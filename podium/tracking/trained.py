"""Which images the newest version of a registered model had."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from mlflow import MlflowClient

from podium.tracking.connection import quote_filter
from podium.tracking.kept import LINEAGE
from podium.tracking.published import download_files

SPLIT = f"{LINEAGE}/split.csv"


def find_newest_images(client: MlflowClient, name: str) -> tuple[str, set[str]]:
    """Find the images of the newest version, whatever split they were in, and whether or not it became champion.

    Returns:
        The version's name, `digits/3`, and the sha256 of each image; nothing if there is no version.
    """
    versions = client.search_model_versions(f"name = {quote_filter(name)}", max_results=1000)
    newest = max(versions, key=lambda one: int(one.version), default=None)
    if newest is None or not newest.run_id:
        return "", set()
    with TemporaryDirectory(prefix="podium-") as folder:
        file = download_files(client, str(newest.run_id), [SPLIT], Path(folder)).get(SPLIT)
        digests = [] if file is None else pd.read_csv(file, dtype="str", usecols=["sha256"])["sha256"].tolist()
    return f"{name}/{newest.version}", {*digests}
