"""Every recipe from Kaggle, whose protocol a server on loopback speaks, to arrays: the real client, the real DVC."""

import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.config import load_params
from podium.datasets.arrays import SPLITS
from podium.datasets.validation.manifest import load_manifest
from tests.flows.workspace import Workspace
from tests.kaggle_server import SECRETS, TOKEN, KaggleServer, serve_kaggle

pytestmark = pytest.mark.slow

SIGNS = list("ABCDEFGHIKLMNOPQRSTUVWXY")
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.fixture
def kaggle(shared_data: Path) -> Iterator[KaggleServer]:
    with serve_kaggle(shared_data / "kaggle") as server:
        yield server


def download_to_arrays(server: KaggleServer, folder: Path, recipe: str, *datasets: str) -> Workspace:
    project = Workspace(folder / "project", **server.environment, KAGGLE_API_TOKEN=TOKEN)
    project.run("podium", "use", recipe)
    output = project.run("dvc", "repro", *(f"preprocess@{name}" for name in datasets))
    assert not [secret for secret in SECRETS if secret in output]
    return project


def counts(project: Workspace, dataset: str) -> dict[str, int]:
    """The images of each class in each part of the archive, as the manifest has them; and validation's page."""
    manifest = load_manifest(project.root / f"data/manifests/{dataset}.parquet", ["part", "label"])
    classes = load_params(project.root / "params.yaml").dataset(dataset).classes
    assert (project.root / f"reports/{dataset}/validation/index.html").stat().st_size > 50_000
    table = manifest[manifest["part"] != "unlabelled"].value_counts(["part", "label"])
    return {
        f"{name} in {part}": count
        for part in ("train", "test")
        for label, name in classes.items()
        if (count := int(table.get((part, label), 0)))
    }


def sizes(project: Workspace, dataset: str) -> dict[str, int]:
    folder = project.root / "data/processed" / dataset
    return {split: len(np.load(folder / split / "labels.npy", mmap_mode="r")) for split in SPLITS}


@pytest.mark.soak
def test_sign_language(kaggle: KaggleServer, tmp_path: Path) -> None:
    project = download_to_arrays(kaggle, tmp_path, "sign_language", "sign-language")
    found = counts(project, "sign-language")
    assert [name.removesuffix(" in train") for name in found if name.endswith("train")] == SIGNS
    assert sum(count for name, count in found.items() if name.endswith("train")) == 27_455
    assert (found["R in test"], found["E in test"]) == (144, 498)
    assert sizes(project, "sign-language") == {"train": 27_455, "validation": 4_303, "test": 2_869}


def test_svhn(kaggle: KaggleServer, shared_data: Path, tmp_path: Path) -> None:
    project = download_to_arrays(kaggle, tmp_path, "svhn", "svhn")
    expected: Counter[str] = Counter()
    with zipfile.ZipFile(shared_data / "kaggle/datasets/stanfordu/street-view-house-numbers.zip") as archive:
        for part in ("train", "test"):
            for image in json.loads(archive.read(f"annotations/{part}DigitStruct.json")):
                if len(image["boxes"]) == 1:
                    digit = int(image["boxes"][0]["label"]) % 10
                    expected[f"{DIGITS[digit]} in {part}"] += 1
    assert counts(project, "svhn") == expected
    train = sum(count for name, count in expected.items() if name.endswith("train"))
    assert train >= 4_000
    assert sizes(project, "svhn") == {
        "train": train - -(-train // 5),  # as scikit-learn rounds
        "validation": -(-train // 5),
        "test": expected.total() - train,
    }
    boxes = np.load(project.root / "data/processed/svhn/train/boxes.npy")
    assert boxes.shape == (train - -(-train // 5), 4)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, :2] + boxes[:, 2:] <= 180).all()


@pytest.mark.soak
def test_cats_vs_dogs(kaggle: KaggleServer, tmp_path: Path) -> None:
    project = download_to_arrays(kaggle, tmp_path, "cats_vs_dogs", "cats-vs-dogs-gray", "cats-vs-dogs")
    for dataset, shape in (("cats-vs-dogs-gray", (100, 100, 1)), ("cats-vs-dogs", (224, 224, 3))):
        assert counts(project, dataset) == {"cat in train": 1_001, "dog in train": 1_001}
        summary = json.loads((project.root / f"reports/{dataset}/validation/summary.json").read_text())
        assert (summary["images"], summary["unlabelled"]) == (2_062, 60)
        assert sum(sizes(project, dataset).values()) == 2_002
        images = np.load(project.root / f"data/processed/{dataset}/test/images.npy", mmap_mode="r")
        assert images.shape[1:] == shape
    splits = [project.root / f"data/processed/{name}/split.csv" for name in ("cats-vs-dogs-gray", "cats-vs-dogs")]
    assert splits[0].read_bytes() == splits[1].read_bytes()
    assert len(kaggle.of("storage")) == 1, "two datasets of one archive download it once"


@pytest.mark.soak
def test_car_damage(kaggle: KaggleServer, tmp_path: Path) -> None:
    project = download_to_arrays(kaggle, tmp_path, "car_damage", "car-damage")
    assert counts(project, "car-damage") == {
        **{"minor in train": 240, "moderate in train": 271, "severe in train": 332},
        **{"minor in test": 38, "moderate in test": 44, "severe in test": 54},
    }
    assert sizes(project, "car-damage")["test"] == 136
    lock = json.loads((project.root / "data/raw/car-damage.json").read_text())
    assert lock["dataset"] == "prajwalbhamere/car-damage-severity-dataset"
    assert lock["sha256"] == "6aae5c54bb2e239f6969bd9efaf47f4977256536a623427cecf3d41ea1d7695a"
    split = pd.read_csv(project.root / "data/processed/car-damage/split.csv")
    drawn = split[split["split"] != "test"]
    assert (drawn.groupby("sha256")["split"].nunique() == 1).all()
    assert drawn["sha256"].duplicated().any(), "this archive has images twice"


def test_without_a_credential_it_says_how_to_get_one_and_the_way_round(kaggle: KaggleServer, tmp_path: Path) -> None:
    project = Workspace(tmp_path / "project", **kaggle.environment, HOME=str(tmp_path))
    project.run("podium", "use", "car_damage")
    output = project.run("dvc", "repro", "download@car-damage", status=None)
    assert "There is no credential for Kaggle" in output
    assert "data/downloads/car-damage/archive.zip" in output
    assert "Traceback" not in output
    assert not (project.root / "data/raw/car-damage").exists()
    by_hand = project.root / "data/downloads/car-damage/archive.zip"
    by_hand.parent.mkdir(parents=True, exist_ok=True)
    by_hand.write_bytes((kaggle.folder / "datasets/prajwalbhamere/car-damage-severity-dataset.zip").read_bytes())
    project.run("dvc", "repro", "download@car-damage")
    assert (project.root / "data/raw/car-damage").exists()
