"""What validation knows of a dataset once it has looked at it: the stage gathers it, the page shows it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from podium.config.datasets import Dataset
from podium.datasets.inventory import Inventory
from podium.datasets.masks import is_added
from podium.datasets.validation.drift import Drift


@dataclass(frozen=True)
class Finding:
    """What became of one expectation."""

    expectation: str
    """In words."""
    level: str
    """`critical` stops the pipeline, `warning` does not."""
    success: bool
    count: int
    """How many rows break it."""
    examples: list[str]
    """The first of them, each with what is wrong."""


@dataclass(frozen=True)
class Inspection:
    """A dataset, looked at. Tables speak of an image by its row in the manifest."""

    name: str
    dataset: Dataset
    manifest: pd.DataFrame
    """One row an image, with the columns of `podium.datasets.validation.manifest.COLUMNS`."""
    splits: pd.Series
    """The split of each row: `train`, `validation`, `test`, `unlabelled`, `left`, or `quarantined`."""
    leaks: pd.DataFrame
    """Images of validation and test that look like one they are to be measured against: row, split, twin (its
    row), twin_split, distance, flipped, exact (the same bytes)."""
    conflicts: pd.DataFrame
    """Near-duplicates that have different labels: row, twin, distance, flipped, exact."""
    drift: Drift | None
    """What changed since the accepted version, if there is one."""
    findings: list[Finding]
    suites: list[dict[str, Any]]
    """Great Expectations' suites that they come from, as that library writes them."""
    inventory: Inventory | None = None
    """The account of the archive's files; none where the dataset is no archive."""

    @property
    def added(self) -> pd.DataFrame:
        """The manifest's rows of the images that people added to those of the archive."""
        return self.manifest[is_added(self.manifest)]

    @property
    def failed(self) -> list[Finding]:
        """The expectations that do not hold, critical ones first."""
        broken = [finding for finding in self.findings if not finding.success]
        return sorted(broken, key=lambda finding: finding.level != "critical")

    @property
    def verdict(self) -> str:
        """Say `failed`, `passed with warnings` or `passed`."""
        failed = self.failed
        if any(finding.level == "critical" for finding in failed):
            return "failed"
        return "passed with warnings" if failed else "passed"
