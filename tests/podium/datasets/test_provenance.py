import json
from pathlib import Path

import pytest

from podium.config.datasets import KaggleSource
from podium.datasets.provenance import find_same, save_provenance
from podium.paths import LICENCES, DatasetPaths

PETS = KaggleSource(kind="kaggle", dataset="owner/pets")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """The folder of raw folders, with the dataset `pets` from Kaggle."""
    folder = tmp_path / "raw"
    (folder / "pets").mkdir(parents=True)
    (folder / "pets/archive.zip").write_bytes(b"pets")
    save_provenance(PETS, folder / "pets", folder / "pets.json")
    return folder


def test_a_lock_says_what_arrived_from_where(raw: Path) -> None:
    assert json.loads((raw / "pets.json").read_text()) == {
        "kind": "kaggle",
        "dataset": "owner/pets",
        "competition": None,
        "version": None,
        "file": "archive.zip",
        "bytes": 4,
        "sha256": "3be1d422a46085e17f4a19d3ed707c866927a6d354a562c45a78f1f03d7c4118",
    }


def test_the_same_source_is_found(raw: Path) -> None:
    assert find_same(PETS, raw) == raw / "pets/archive.zip"


@pytest.mark.parametrize(
    "other",
    [
        KaggleSource(kind="kaggle", dataset="owner/other"),
        KaggleSource(kind="kaggle", dataset="owner/pets", version=2),
        KaggleSource(kind="kaggle", competition="pets"),
        KaggleSource(kind="kaggle", dataset="owner/pets", sha256="0" * 64),
    ],
)
def test_another_source_is_not(raw: Path, other: KaggleSource) -> None:
    assert find_same(other, raw) is None


def test_a_file_that_is_gone_or_another_now_is_not_the_same(raw: Path) -> None:
    (raw / "pets/archive.zip").write_bytes(b"pats")
    assert find_same(PETS, raw) is None
    (raw / "pets/archive.zip").unlink()
    assert find_same(PETS, raw) is None


def test_licences_are_taken_over_from_a_dataset_of_the_same_source(raw: Path) -> None:
    lock = json.loads((raw / "pets.json").read_text())
    (raw / "pets.json").write_text(json.dumps(lock | {"licences": ["CC0-1.0"]}))
    for name, source in (("again", PETS), ("other", KaggleSource(kind="kaggle", dataset="owner/other"))):
        (raw / name).mkdir()
        (raw / name / "archive.zip").write_bytes(b"pets")
        save_provenance(source, raw / name, raw / f"{name}.json")
    assert json.loads((raw / "again.json").read_text())["licences"] == ["CC0-1.0"]
    assert "licences" not in json.loads((raw / "other.json").read_text())
    assert find_same(PETS, raw) == raw / "again/archive.zip"


@pytest.mark.parametrize(("dataset", "expected"), [("owner/pets", ["CC0-1.0"]), ("owner/other", None)])
def test_licences_that_a_download_left_are_taken_if_they_are_of_this_dataset(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, expected: list[str] | None
) -> None:
    monkeypatch.chdir(tmp_path)
    downloads = DatasetPaths("pets").downloads
    downloads.mkdir(parents=True)
    (downloads / "archive.zip").touch()
    (downloads / LICENCES).write_text(json.dumps({"dataset": dataset, "licences": ["CC0-1.0"]}))
    for _ in range(2):  # an archive that stays there keeps them
        save_provenance(PETS, raw / "pets", raw / "pets.json")
        assert json.loads((raw / "pets.json").read_text()).get("licences") == expected
    (downloads / "archive.zip").unlink()
    save_provenance(PETS, raw / "pets", raw / "pets.json")
    assert not downloads.exists()
