import hashlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from podium.datasets.formats import Example
from podium.datasets.validation.manifest import COLUMNS, SEEN, as_seen, load_manifest, save_manifest
from podium.datasets.validation.scan import build_manifest
from podium.images import parallel as workers


def make_examples() -> list[Example]:
    pixels = np.arange(5, 29, dtype=np.uint8).reshape(2, 4, 3)
    return [
        Example("t.csv:2", "train", "007", pixels),
        Example("t.csv:3", "train", "NA", pixels[::-1]),
        Example("t.csv:4", "test", "", None, "3 cells where 25 were expected"),
    ]


def test_each_image_has_a_row_of_what_was_seen() -> None:
    manifest = build_manifest(iter(make_examples()))
    assert [*manifest.columns] == SEEN
    first, bad = manifest.loc[0], manifest.loc[2]
    assert first.tolist()[:9] == ["t.csv:2", "train", "007", "", "", 2, 4, 3, 24]
    assert first["sha256"] == hashlib.sha256(bytes(range(5, 29))).hexdigest()
    assert [first[name] for name in ("red", "green", "blue")] == [15.5, 16.5, 17.5]  # 5, 8, … 26, and one, and two more
    assert (first["darkest"], first["brightest"]) == (6, 27)  # of gray, which is between red and blue
    assert first["brightness"] == pytest.approx(16.5, abs=0.6)
    assert len(first["hash"]) == 64
    assert manifest["sha256"].nunique() == 3
    assert bad.tolist()[:9] == ["t.csv:4", "test", "", "", "", 0, 0, 0, 0]
    assert bad[["brightness", "contrast", "sharpness", "red"]].tolist() == [0, 0, 0, 0]
    assert (bad["hash"], bad["sha256"]) == ("", "")
    assert manifest.loc[2, "fault"] == "3 cells where 25 were expected"
    assert manifest["fault"].isna().tolist() == [True, True, False]


def test_a_manifest_is_read_as_it_was_written_and_its_bytes_are_the_same_twice(tmp_path: Path) -> None:
    manifest = as_seen(build_manifest(make_examples()))
    for name in ("one", "two"):
        save_manifest(manifest, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    pd.testing.assert_frame_equal(load_manifest(tmp_path / "one"), manifest)
    assert load_manifest(tmp_path / "one")["label"].tolist() == ["007", "NA", ""]


def test_a_manifest_without_faults_keeps_its_columns(tmp_path: Path) -> None:
    save_manifest(as_seen(build_manifest(make_examples()[:2])), tmp_path / "one")
    read = load_manifest(tmp_path / "one")
    assert [*read.columns] == COLUMNS
    assert read["fault"].isna().all()


def test_an_image_file_is_decoded_in_full_and_its_oddities_noted() -> None:
    content = io.BytesIO()
    Image.fromarray(np.arange(5, 29, dtype=np.uint8).reshape(2, 4, 3)).save(content, "PNG")
    whole = content.getvalue()
    examples = [
        Example("a/1.png", "train", "a", whole, box=(1.5, 0, 2, 1)),
        Example("a/2.jpg", "train", "a", whole),
        Example("a/3.png", "train", "a", whole[:-30]),
    ]
    manifest = build_manifest(examples)
    digest = hashlib.sha256(whole).hexdigest()
    assert manifest.loc[0].tolist()[3:9] == ["PNG", "RGB", 2, 4, 3, len(whole)]
    assert manifest.loc[0, "hash"] == manifest.loc[1, "hash"] != ""
    assert manifest["sha256"].tolist()[:2] == [digest, digest]
    assert manifest.loc[0, ["box_left", "box_top", "box_width", "box_height"]].tolist() == [1.5, 0, 2, 1]
    assert manifest.loc[1, ["box_left", "box_top", "box_width", "box_height"]].isna().all()
    assert manifest["notice"].isna().tolist() == [True, False, True]
    assert manifest["fault"].isna().tolist() == [True, True, False]
    assert "its name ends in .jpg" in manifest.loc[1, "notice"]
    assert "cannot be decoded" in manifest.loc[2, "fault"]


def test_the_rows_do_not_depend_on_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [Example(str(row), "", "", np.full((2, 2, 1), row % 256, np.uint8)) for row in range(300)]
    manifests = []
    for count in (1, 6):
        monkeypatch.setattr(workers, "count_processors", lambda count=count: count)
        manifests.append(build_manifest(examples))
    pd.testing.assert_frame_equal(*manifests)
    assert manifests[0]["id"].tolist() == [str(row) for row in range(300)]
