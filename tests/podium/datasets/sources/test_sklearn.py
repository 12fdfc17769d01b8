from pathlib import Path

import numpy as np

from podium.config.datasets import SklearnSource
from podium.datasets.sources import fetch

DIGITS = SklearnSource(kind="sklearn", name="digits")


def test_the_digits_arrive_with_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert fetch(DIGITS, tmp_path / name, tmp_path / "downloads") == "scikit-learn's digits (1,797 images)"
    assert (tmp_path / "one/digits.npz").read_bytes() == (tmp_path / "two/digits.npz").read_bytes()
    with np.load(tmp_path / "one/digits.npz", allow_pickle=False) as arrays:
        assert arrays["images"].shape == (1797, 8, 8)
        assert (arrays["images"].min(), arrays["images"].max()) == (0, 16)
        assert arrays["target"][:5].tolist() == [0, 1, 2, 3, 4]
