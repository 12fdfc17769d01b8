"""The page of what changed between two versions of a dataset: the images that are new or have another label."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from podium.config.datasets import Dataset
from podium.datasets.formats.example import Example
from podium.datasets.validation.drift import Drift
from podium.datasets.validation.quarantine import leave_out
from podium.datasets.validation.scan import build_manifest
from podium.datasets.validation.thumbnails import collect_thumbnails
from podium.pages.html import write_html

MAX_IMAGES_LISTED = 24
"""Images in one list."""


def look_again(images: Iterable[Example], dataset: Dataset, review: pd.DataFrame) -> pd.DataFrame:
    """Give a manifest of a dataset whose validation failed and left none, whole enough to be compared.

    It takes another pass over all images.

    Args:
        images: the dataset's, those that people added included.
        dataset: what the page says of it.
        review: what people decided of its images.

    Raises:
        PodiumError: the files are not laid out as the page says.
    """
    seen = build_manifest(images)
    return seen.assign(left_out=leave_out(seen, dataset, review))


def write_changes(
    title: str, drift: Drift, manifest: pd.DataFrame, dataset: Dataset, images: Iterable[Example], path: Path
) -> None:
    """Write the page: one HTML file that needs nothing else.

    Args:
        title: what is compared, for the heading.
        drift: what changed.
        manifest: that of the newer version.
        dataset: what the page says of it.
        images: its images in the manifest's order, to make thumbnails from.
        path: the HTML file to be; its folder is there.

    Raises:
        PodiumError: the files are not laid out as the page says.
    """
    added, relabelled = drift.added.head(MAX_IMAGES_LISTED), drift.relabelled.head(MAX_IMAGES_LISTED)
    wanted = manifest["id"].isin([*added["id"], *relabelled["id"]]).to_numpy()
    # Ids that are not unique are a finding of validation's; here the first of them stands for all.
    rows = {manifest["id"].iloc[row]: int(row) for row in np.flatnonzero(wanted)[::-1]}
    thumbnails: Mapping[int, bytes] = collect_thumbnails(images, rows.values()) if rows else {}
    values = {
        "title": title,
        "drift": drift,
        "counts": drift.classes[drift.classes["before"] != drift.classes["after"]],
        "names": dataset.classes,
        "added": added,
        "relabelled": relabelled,
        "thumbnails": {id_: thumbnails.get(row) for id_, row in rows.items()},
    }
    write_html(__package__, "changes.html", values, {}, path)
