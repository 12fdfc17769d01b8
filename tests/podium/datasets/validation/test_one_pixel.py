"""One wrong pixel among 21 million is found, and named by its line and column."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from podium.config.datasets import PixelCsvFormat, StratifiedSplit
from podium.datasets.formats import read
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.scan import build_manifest
from tests.makers import NO_REVIEW, make_dataset, make_validation

pytestmark = pytest.mark.slow

LAYOUT = PixelCsvFormat(kind="pixel_csv", files={"train": "sign_mnist_train.csv"}, label_column="label")


@pytest.mark.parametrize("wrong", [b"256", pytest.param(b"", marks=pytest.mark.soak)])
def test_one_wrong_pixel_in_21_million_is_named(shared_data: Path, tmp_path: Path, wrong: bytes) -> None:
    archive = shared_data / "kaggle/datasets/datamunge/sign-language-mnist.zip"
    with zipfile.ZipFile(archive) as opened:
        lines = opened.read("sign_mnist_train.csv").split(b"\r\n")
    generator = np.random.default_rng(len(wrong))
    line, column = int(generator.integers(len(lines) - 2000, len(lines) - 1)), int(generator.integers(1, 785))
    cells = lines[line].split(b",")
    cells[column] = wrong
    lines[line] = b",".join(cells)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as changed:
        changed.writestr("sign_mnist_train.csv", b"\r\n".join(lines))
    split = StratifiedSplit(kind="stratified", validation=0.1, test=0.1, seed=0)
    classes = {str(label): f"class {label}" for label in range(25) if label != 9}
    dataset = make_dataset(format=LAYOUT, split=split, classes=classes, validation=make_validation())
    found = inspect_dataset("signs", dataset, build_manifest(read(tmp_path, LAYOUT)), NO_REVIEW, None)
    assert len(found.manifest) * 784 > 21_000_000
    (critical,) = [one for one in found.failed if one.level == "critical"]
    name = f"sign_mnist_train.csv:{line + 1}"
    assert critical.examples == [
        f"{name} (fault pixel{column} is '{wrong.decode()}', expected a whole number of 0-255)"
    ]
    assert found.manifest["fault"].notna().sum() == 1
