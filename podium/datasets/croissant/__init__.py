"""A dataset's metadata as other programs read it: MLCommons Croissant 1.1, https://docs.mlcommons.org/croissant/.

The stage `preprocess` writes it, because only there is everything final that it tells: the archive's provenance, the
manifest of a dataset that passed validation, and the split of every image. So it names files that are there, with their
digests, and a reader loads what podium trains on. Nothing in it depends on the day or the machine, and the path that an
archive had on the user's disk stays out.

    distribution   the archive; in it the image files, or the tables with pixels; what people added beside it; the
                   manifest; the split manifest
    splits         train, validation, test, and the names of what no model sees
    classes        the label as the archive writes it, the class name, its place in a model's output
    images         a record an image: the manifest's columns, and the split
    files          a record an image file, with its label from the manifest; not where files lie in archives inside the
                   archive, which readers of Croissant do not open
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from podium.config.datasets import Dataset
from podium.datasets.croissant.distribution import (
    ARCHIVE,
    IMAGE_FILES,
    describe_file,
    encoding,
    list_added,
    list_inside,
    relative,
)
from podium.datasets.croissant.records import classes, image_files, images, splits
from podium.datasets.croissant.terms import CITATIONS, CONTEXT, Node
from podium.datasets.masks import is_added
from podium.paths import DatasetPaths


def save_croissant(name: str, dataset: Dataset, manifest: pd.DataFrame, assigned: pd.DataFrame, path: Path) -> None:
    """Write the metadata of a dataset whose arrays are written.

    Args:
        name: the dataset's.
        dataset: what the page says of it.
        manifest: one row an image, at least with id, part, format and sha256.
        assigned: the split manifest.
        path: where to write it; the metadata names files as seen from the place that `DatasetPaths` gives it.
    """
    paths = DatasetPaths(name)
    provenance = json.loads(paths.lock.read_text(encoding="utf-8"))
    files = {"manifest": paths.manifest, "split": paths.processed / "split.csv"}
    tables = [describe_file(file, key, paths) for key, file in files.items()]
    archive = relative(paths.raw / str(provenance["file"]), paths)
    content = describe(name, dataset, provenance, archive, manifest, assigned, tables)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def describe(
    name: str,
    dataset: Dataset,
    provenance: Mapping[str, Any],
    archive: str,
    manifest: pd.DataFrame,
    assigned: pd.DataFrame,
    tables: list[Node],
) -> Node:
    """Give a dataset's metadata as JSON-LD.

    Args:
        name: the dataset's.
        dataset: what the page says of it.
        provenance: what is known of the archive that arrived.
        archive: its path, relative to the metadata's folder, for an archive that has no address.
        manifest: one row an image, at least with id, part, format and sha256.
        assigned: the split manifest.
        tables: the file objects `manifest` and `split`.
    """
    file = str(provenance["file"])
    whole = {
        "@type": "cr:FileObject",
        "@id": ARCHIVE,
        "name": file,
        "contentUrl": _address(provenance) or archive,
        "contentSize": f"{provenance['bytes']} B",
        "encodingFormat": encoding(file),
        "sha256": provenance["sha256"],
    }
    added = is_added(manifest)
    inside = list_inside(manifest[~added])
    sets = [splits(assigned), classes(dataset), images(dataset)]
    if any(node["@id"] == IMAGE_FILES for node in inside):
        sets.append(image_files())
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": _sentence(dataset, manifest),
        **_known(provenance),
        "distribution": [whole, *inside, *list_added(DatasetPaths(name), manifest[added]), *tables],
        "recordSet": sets,
    }


def _known(provenance: Mapping[str, Any]) -> Node:
    """Give what only some sources tell: address, version, licences, citation."""
    known: Node = {}
    if provenance["kind"] == "kaggle":
        kind = "competitions" if provenance["competition"] else "datasets"
        known["url"] = f"https://www.kaggle.com/{kind}/{provenance['competition'] or provenance['dataset']}"
        if provenance["version"]:
            known["version"] = f"{provenance['version']}.0.0"
    if provenance.get("licences"):
        known["license"] = provenance["licences"]
    if provenance["kind"] == "sklearn":
        known["citeAs"] = CITATIONS[provenance["name"]]
    return known


def _address(provenance: Mapping[str, Any]) -> str | None:
    """Give the address that an archive is downloaded from, if it has one."""
    if provenance["kind"] != "kaggle":
        return None
    if provenance["competition"]:
        return f"https://www.kaggle.com/api/v1/competitions/data/download-all/{provenance['competition']}"
    version = f"?datasetVersionNumber={provenance['version']}" if provenance["version"] else ""
    return f"https://www.kaggle.com/api/v1/datasets/download/{provenance['dataset']}{version}"


def _sentence(dataset: Dataset, manifest: pd.DataFrame) -> str:
    names = [*dataset.classes.values()]
    some = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return f"{len(manifest):,} images for {len(names):,} classes ({some}): each one's place in the archive, and split."
