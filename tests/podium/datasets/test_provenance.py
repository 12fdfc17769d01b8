import json
from pathlib import Path

import pytest

from podium.config.datasets import KaggleSource
from podium.datasets.provenance import find_same, save_provenance

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
