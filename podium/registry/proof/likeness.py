"""How like two builds of a candidate are: output by output, and by what the two models say of the same images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from podium.errors import PodiumError
from podium.evaluation.predictions import Predictions
from podium.paths import CandidatePaths
from podium.workspace.lock import Output

TOLERANCE = 1e-3
"""By how much a probability may differ where the processor or the packages are others. The accuracy may not differ."""
_WITH_TIMES = ("cost.json", "index.html")
"""Reports on a candidate that hold how long things took: they differ each time."""


@dataclass(frozen=True)
class Compared:
    """One output of a stage, beside the same of the version.

    Attributes:
        stage: `train@digits-cnn`.
        path: relative to the project's root.
        same: whether it has the same bytes; None if it need not, as it holds times.
        text: in words.
    """

    stage: str
    path: Path
    same: bool | None
    text: str


@dataclass(frozen=True)
class Distance:
    """How far apart the answers of two models are.

    Attributes:
        images: how many they were both asked.
        largest: the largest difference of a probability.
        changed: for how many images they name different classes.
        accuracies: by split: that of the version, and that of the new build.
    """

    images: int
    largest: float
    changed: int
    accuracies: dict[str, tuple[float, float]]

    @property
    def is_close(self) -> bool:
        """Whether that is within the tolerance."""
        return self.largest <= TOLERANCE and all(before == after for before, after in self.accuracies.values())

    @property
    def text(self) -> str:
        """In words, without a full stop."""
        changed = (
            f"{self.changed:,} of {self.images:,} images have another class" if self.changed else "no class differs"
        )
        rates = [f"{split} accuracy {old:.4f} then, {new:.4f} now" for split, (old, new) in self.accuracies.items()]
        return f"probabilities differ by at most {self.largest:.2g}, {changed}; {', '.join(rates)}"


def compare_outputs(
    kept: Mapping[str, Mapping[Path, Output]], new: Mapping[str, Mapping[Path, Output]], places: CandidatePaths
) -> list[Compared]:
    """Compare what the stages wrote: the digests in two locks.

    Args:
        kept: of the version, by stage and path.
        new: of the new build; its stages are compared.
        places: the candidate's: which of its reports hold times.
    """
    timed = {places.reports / name for name in _WITH_TIMES}
    compared = []
    for stage, outputs in new.items():
        before = kept.get(stage, {})
        for path in sorted({*outputs, *before}):
            one, other = before.get(path), outputs.get(path)
            if one is not None and other is not None and one.md5 == other.md5:
                same, text = True, "the same bytes"
            elif one is None or other is None:
                same, text = False, "not made now" if other is None else "not made then"
            elif path in timed:
                same, text = None, "holds times, which differ"
            else:
                same, text = False, "other bytes"
            compared.append(Compared(stage, path, same, text))
    return compared


def measure_distance(kept: Mapping[str, Predictions], new: Mapping[str, Predictions]) -> Distance:
    """Compare what two models said of the same images.

    Raises:
        PodiumError: they were asked about other images, or know other classes.
    """
    if kept.keys() != new.keys():
        raise PodiumError("the two were asked about different splits")
    largest, changed, images = 0.0, 0, 0
    accuracies = {}
    for split, one in kept.items():
        other = new[split]
        if one.classes != other.classes:
            raise PodiumError("the two know different classes")
        if not (np.array_equal(one.ids, other.ids) and np.array_equal(one.digests, other.digests)):
            raise PodiumError(f"the {split} split has other images now")
        largest = max(largest, float(np.abs(one.probabilities - other.probabilities).max()))
        changed += int((one.predicted != other.predicted).sum())
        images += len(one)
        accuracies[split] = (float(one.right.mean()), float(other.right.mean()))
    return Distance(images, largest, changed, accuracies)
