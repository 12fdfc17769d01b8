"""Accepted labels through the stages: they train, after the archive's images, and change nothing else."""

import io
import json
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import mlcroissant as mlc
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from podium.datasets.arrays import open_split
from podium.errors import PodiumError
from podium.paths import ADDITIONS
from stages import download, preprocess, validate
from tests.makers import SIDE, add_labels, make_images, make_page, make_review, make_rows, make_table, save_page

pytestmark = pytest.mark.slow

IMAGES, LABELS = make_images(60)
NEW = make_images(6, seed=7)[0]


def png(image: np.ndarray, side: int = SIDE) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[..., 0]).resize((side, side), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


def prepare(project: Path, kind: str) -> dict[str, Any]:
    """Deliver the images in one of the layouts; give the page."""
    page = make_page(project, make_table(make_rows(60)))
    layout: dict[str, Any] = page["datasets"]["dots"]["format"]
    match kind:
        case "idx":
            files = {
                "images": struct.pack(">4B3I", 0, 0, 8, 3, 60, SIDE, SIDE) + IMAGES.tobytes(),
                "labels": struct.pack(">4BI", 0, 0, 8, 1, 60) + LABELS.astype(np.uint8).tobytes(),
            }
            layout = {"kind": "idx", "images": {"train": "images"}, "labels": {"train": "labels"}}
        case "image_folder":
            files = {f"{label}/{row}.png": png(IMAGES[row]) for row, label in enumerate(LABELS)}
            layout = {"kind": "image_folder", "folders": {"train": "."}}
        case _:
            files = {}
    if files:
        shutil.rmtree(project / "incoming")
        with zipfile.ZipFile(project / "dots.zip", "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        page["datasets"]["dots"] |= {"source": {"kind": "archive", "path": "dots.zip"}, "format": layout}
        save_page(project, page)
    download.main("dots")
    return page


def run() -> None:
    validate.main("dots")
    preprocess.main("dots")


def read_all(project: Path, *places: str) -> dict[str, bytes]:
    found = (path for place in places for path in (project / place).rglob("*") if path.is_file())
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in found}


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # of mlcroissant 1.1.1 itself
@pytest.mark.parametrize("kind", ["pixel_csv", "idx", "image_folder"])
def test_they_train_after_the_archives_images_and_move_no_other(project: Path, kind: str) -> None:
    prepare(project, kind)
    run()
    outputs = ("data/manifests", "data/processed", "reports")
    before = read_all(project, *outputs)
    tested = open_split(project / "data/processed/dots/test")
    likes = png(np.array(tested.images[0]), side=SIDE)
    ids = add_labels(
        *(project, "dots", ("2", png(NEW[2], side=31)), ("0", png(NEW[0])), ("1", likes), ("1", png(NEW[1]))),
    )
    digest = ids[3].removeprefix("additions/").removesuffix(".png")
    make_review(project, f"dots,{ids[3]},{digest},leave_out,blurred")
    run()
    after = read_all(project, *outputs)

    processed, split = project / "data/processed/dots", pd.read_csv(project / "data/processed/dots/split.csv")
    earlier = before["data/processed/dots/split.csv"]
    assert after["data/processed/dots/split.csv"].startswith(earlier)
    assert split.tail(4)[["id", "split", "reason"]].to_numpy().tolist() == [
        [ids[0], "train", "an accepted label"],
        [ids[1], "train", "an accepted label"],
        [ids[2], "quarantined", "leak"],
        [ids[3], "quarantined", "reviewed"],
    ]
    for name in ("validation", "test"):
        part = f"data/processed/dots/{name}/"
        assert {key: after[key] for key in after if key.startswith(part)} == {
            key: before[key] for key in before if key.startswith(part)
        }
    train = open_split(processed / "train")
    assert train.ids[-2:].tolist() == ids[:2]
    assert train.labels[-2:].tolist() == [2, 0]
    np.testing.assert_array_equal(train.images[-1], NEW[0])
    was = np.load(io.BytesIO(before["data/processed/dots/train/images.npy"]))
    np.testing.assert_array_equal(train.images[:-2], was)
    old = pd.read_parquet(io.BytesIO(before["data/manifests/dots.parquet"]))
    manifest = pd.read_parquet(project / "data/manifests/dots.parquet")
    pd.testing.assert_frame_equal(manifest.head(60), old)
    twin = manifest.loc[manifest["id"] == str(tested.ids[0]), "group"].item()
    assert manifest["group"].tolist()[60:] == [60, 61, twin, 63]

    folder = project / "reports/dots/validation"
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["images"], summary["added"], summary["left_out"], summary["verdict"]) == (64, 4, 2, "passed")
    assert "accepted labels, beside the archive: data/additions.csv" in (folder / "inventory.csv").read_text()
    page = (folder / "index.html").read_text()
    assert "4 images that people labelled in the app and a person accepted" in page
    assert "2 train, 2 are left out" in page
    described = mlc.Dataset(jsonld=project / "reports/dots/croissant.json")
    assert not described.metadata.ctx.issues.errors
    (node,) = (one for one in described.metadata.distribution if one.id == ids[0])
    assert (project / "reports/dots" / node.content_url).resolve().read_bytes() == png(NEW[2], side=31)

    (project / ADDITIONS).unlink()
    make_review(project)  # nobody adds or decides anything: all is as it was
    run()
    assert read_all(project, *outputs) == before


def test_a_wrong_file_stops_both_stages_with_one_message(project: Path) -> None:
    prepare(project, "pixel_csv")
    (id_,) = add_labels(project, "dots", ("2", png(NEW[2])))
    file = project / "data/additions/dots" / id_.removeprefix("additions/")
    validate.main("dots")
    file.rename(project / "kept")
    for stage in (validate, preprocess):
        with pytest.raises(PodiumError, match=r"is not here, and data/additions\.csv names it as a part of dots"):
            stage.main("dots")
    file.write_bytes(png(NEW[3]))
    for stage in (validate, preprocess):
        with pytest.raises(PodiumError, match="is another image"):
            stage.main("dots")


def test_they_count_in_no_limit_of_the_archive(project: Path) -> None:
    page = prepare(project, "pixel_csv")
    page["datasets"]["dots"]["validation"]["critical"] |= {"minimum_per_class": 20}
    page["datasets"]["dots"]["validation"]["warning"] |= {"maximum_imbalance": 1.0}
    save_page(project, page)
    add_labels(project, "dots", *(("2", png(image)) for image in NEW))
    validate.main("dots")
    summary = json.loads((project / "reports/dots/validation/summary.json").read_text())
    assert summary["verdict"] == "passed"
