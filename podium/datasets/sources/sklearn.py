"""Datasets that scikit-learn ships."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from podium.config.datasets import SklearnSource

DIGITS = "digits.npz"


def fetch(source: SklearnSource, folder: Path, _downloads: Path) -> str:
    """Save scikit-learn's digits to `folder`. See `sources.fetch`.

    `digits.npz` holds images (1797, 8, 8) float64 of 0–16 and target (1797,) int64. Source: the test part of
    E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998, doi:10.24432/C50P49.
    """
    from sklearn.datasets import load_digits  # one second to import, and only this source needs it

    digits = load_digits()
    np.savez_compressed(folder / DIGITS, images=digits.images, target=digits.target)
    return f"scikit-learn's {source.name} ({len(digits.target):,} images)"


def look(_source: SklearnSource, _known: Mapping[str, Any], _root: Path, _downloads: Path) -> str:
    """Say that there is nothing new: what a library ships stays. See `sources.look`."""
    return ""
