"""Stage `validate`: look at every picture, hold the dataset against its recipe, and stop bad data here."""

import logging

from podium.config import load_params
from podium.errors import PodiumError
from podium.formats import read
from podium.paths import DatasetPaths, written_whole
from podium.validation.manifest import build_manifest, save_manifest
from podium.validation.suite import Finding, save_findings, validate_manifest

logger = logging.getLogger(__name__)


def main(name: str) -> None:
    """Write the findings on the dataset `name`, and its manifest if nothing critical was found."""
    dataset, paths = load_params().dataset(name), DatasetPaths(name)
    manifest = build_manifest(read(paths.raw, dataset.format))
    findings = validate_manifest(manifest, dataset)
    with written_whole(paths.validation) as folder:
        save_findings(findings, manifest, dataset, folder)
    failed = [finding for finding in findings if not finding.success]
    critical = [finding for finding in failed if finding.level == "critical"]
    for warning in (finding for finding in failed if finding.level == "warning"):
        logger.warning("validate %s: %s", name, _sentence(warning))
    if critical:
        raise PodiumError(
            f"{len(critical)} critical expectations failed for the dataset '{name}':\n"
            + "\n".join(_sentence(finding) for finding in critical)
            + f"\nAll findings: {paths.validation / 'findings.json'}. Mend the data, or correct "
            f"datasets.{name} in params.yaml."
        )
    with written_whole(paths.manifest) as file:
        save_manifest(manifest, file)
    logger.info(
        "validate %s: read %d pictures, %d of %d expectations hold (%d warnings), wrote %s and %s",
        *(name, len(manifest), len(findings) - len(failed), len(findings), len(failed)),
        *(paths.manifest, paths.validation),
    )


def _sentence(finding: Finding) -> str:
    rows = f", in {finding.count:,} rows: {'; '.join(finding.examples)}" if finding.examples else ""
    more = ", …" if finding.count > len(finding.examples) > 0 else ""
    return f"{finding.level}: not true that {finding.expectation}{rows}{more}"
