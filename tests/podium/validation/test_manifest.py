import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from podium.formats import Example
from podium.validation.manifest import COLUMNS, build_manifest, load_manifest, save_manifest


def make_examples() -> list[Example]:
    pixels = np.arange(5, 29, dtype=np.uint8).reshape(2, 4, 3)
    return [
        Example("t.csv:2", "train", "007", pixels),
        Example("t.csv:3", "train", "NA", pixels[::-1]),
        Example("t.csv:4", "test", "", None, "3 cells where 25 were expected"),
    ]


def test_each_picture_has_a_row_of_what_was_seen() -> None:
    manifest = build_manifest(iter(make_examples()))
    assert [*manifest.columns] == COLUMNS
    digest = hashlib.sha256(bytes(range(5, 29))).hexdigest()
    assert manifest.loc[0].tolist()[:-1] == ["t.csv:2", "train", "007", 2, 4, 3, 5, 28, digest]
    assert manifest["sha256"].nunique() == 3
    assert manifest.loc[2].tolist() == ["t.csv:4", "test", "", 0, 0, 0, 0, 0, "", "3 cells where 25 were expected"]
    assert manifest["fault"].isna().tolist() == [True, True, False]


def test_a_manifest_is_read_as_it_was_written_and_its_bytes_are_the_same_twice(tmp_path: Path) -> None:
    manifest = build_manifest(make_examples())
    for name in ("one", "two"):
        save_manifest(manifest, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    pd.testing.assert_frame_equal(load_manifest(tmp_path / "one"), manifest)
    assert load_manifest(tmp_path / "one")["label"].tolist() == ["007", "NA", ""]


def test_a_manifest_without_faults_keeps_its_columns(tmp_path: Path) -> None:
    save_manifest(build_manifest(make_examples()[:2]), tmp_path / "one")
    read = load_manifest(tmp_path / "one")
    assert [*read.columns] == COLUMNS
    assert read["fault"].isna().all()
