"""Stage `validate`: look at every image, hold the dataset against its recipe, and stop bad data here."""

import logging

import pandas as pd

from podium.config import load_params
from podium.config.datasets import Dataset
from podium.datasets.additions import check_additions, load_additions, read_dataset
from podium.datasets.archive import Archive
from podium.datasets.inventory import Inventory, take_inventory
from podium.datasets.masks import is_added, is_usable
from podium.datasets.validation.findings import Finding
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.manifest import save_manifest
from podium.datasets.validation.places import read_accepted
from podium.datasets.validation.quarantine import load_review
from podium.datasets.validation.report import choose_rows, write_page
from podium.datasets.validation.saving import save_inspection
from podium.datasets.validation.scan import build_manifest
from podium.datasets.validation.thumbnails import Remembered, collect_thumbnails
from podium.errors import PodiumError
from podium.files import atomic_write, file_digest
from podium.paths import ADDITIONS, REVIEW, DatasetPaths

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Write the findings on the dataset `name`, and its manifest if nothing critical was found."""
    dataset, paths = load_params().dataset(name), DatasetPaths(name)
    review = load_review(REVIEW, name)
    additions = load_additions(ADDITIONS, name)
    check_additions(paths, additions)
    accepted = _accepted(paths, dataset.validation.accepted)
    images = Remembered(lambda: read_dataset(name, dataset.format))
    seen = build_manifest(images.first())
    inspection = inspect_dataset(name, dataset, seen, review, accepted, _take_inventory(paths, dataset, seen))
    thumbnails = collect_thumbnails(images.again(), choose_rows(inspection))
    with atomic_write(paths.validation) as folder:
        save_inspection(inspection, folder)
        write_page(inspection, thumbnails, folder / "index.html")
    critical = [finding for finding in inspection.failed if finding.level == "critical"]
    for warning in (finding for finding in inspection.failed if finding.level == "warning"):
        logger.warning("validate %s: %s", name, _sentence(warning))
    if critical:
        raise PodiumError(
            f"{len(critical)} critical expectations failed for the dataset '{name}':\n"
            + "\n".join(_sentence(finding) for finding in critical)
            + f"\nLook at them: {paths.validation / 'index.html'}. Mend the data, leave images out in {REVIEW}, or "
            f"correct datasets.{name} in params.yaml."
        )
    with atomic_write(paths.manifest) as file:
        save_manifest(inspection.manifest, file)
    logger.info(
        "validate %s: read %s images, %d of %d expectations hold (%d warnings), wrote %s and %s",
        *(name, f"{len(seen):,}", len(inspection.findings) - len(inspection.failed), len(inspection.findings)),
        *(len(inspection.failed), paths.manifest, paths.validation / "index.html"),
    )
    if len(additions):
        training = int((is_added(inspection.manifest) & is_usable(inspection.manifest)).sum())
        words = "validate %s: %d of the images are accepted labels (%s), %d of them train"
        logger.info(words, name, len(additions), ADDITIONS, training)


def _take_inventory(paths: DatasetPaths, dataset: Dataset, seen: pd.DataFrame) -> Inventory | None:
    """Account for every file of the archive, if the dataset is one."""
    if dataset.source.kind == "sklearn":
        return None
    with Archive(paths.raw) as archive:
        return take_inventory(archive, dataset.format, seen.loc[~is_added(seen), "id"])


def _accepted(paths: DatasetPaths, digest: str | None) -> pd.DataFrame | None:
    """Read the manifest of the accepted version that the page names, if it names one."""
    if digest is None:
        return None
    try:
        manifest = read_accepted(paths.accepted)
    except PodiumError as error:
        wrong = str(error) if paths.accepted.is_file() else "it is not here"
    else:
        found = file_digest(paths.accepted)
        wrong = "" if found == digest else f"its sha256 is {found}, and the page names {digest}"
    if wrong:
        raise PodiumError(
            f"The accepted version of '{paths.name}' cannot be compared with: {wrong}. Expected its manifest at "
            f"{paths.accepted}. Restore it: `dvc checkout {paths.accepted}.dvc`, or `dvc pull {paths.accepted}.dvc` if "
            f"a colleague accepted it. Or take datasets.{paths.name}.validation.accepted out of params.yaml, and "
            f"accept the version that is here: `podium validate {paths.name} --accept`."
        )
    return manifest


def _sentence(finding: Finding) -> str:
    rows = f", in {finding.count:,} rows: {'; '.join(finding.examples)}" if finding.examples else ""
    more = ", …" if finding.count > len(finding.examples) > 0 else ""
    return f"{finding.level}: not true that {finding.expectation}{rows}{more}"
