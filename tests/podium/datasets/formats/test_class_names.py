"""Names of classes beside the labels: in a JSON map, or in a table of labels and names."""

import json
import zipfile
from pathlib import Path

import pytest

from podium.datasets.archive import Archive
from podium.datasets.formats.detect import look_into
from podium.datasets.formats.survey.names import find_class_names

LABELS = {"0", "1", "2"}
NAMES = {"0": "blight", "1": "mosaic", "2": "healthy"}


def find(folder: Path, files: dict[str, str], labels: set[str] = LABELS) -> tuple[dict[str, str], str]:
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    with Archive(folder) as opened:
        return find_class_names(look_into(opened), labels)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("label_map.json", json.dumps(NAMES)),
        ("label_map.json", json.dumps({name: int(label) for label, name in NAMES.items()})),
        ("signs.csv", "ClassId,SignName\n0,blight\n1,mosaic\n2,healthy\n"),
        ("labels.txt", "Label\tLatin\n0\tblight\n1\tmosaic\n2\thealthy\n"),
    ],
)
def test_every_label_gets_its_name(tmp_path: Path, name: str, text: str) -> None:
    assert find(tmp_path, {"README.txt": "Leaves.", name: text}) == (NAMES, name)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"0": "blight", "1": "mosaic"}),
        json.dumps({"0": "leaf", "1": "leaf", "2": "healthy"}),
        json.dumps({"0": "1", "1": "2", "2": "0"}),
        json.dumps([["0", "blight"]]),
        "{",
    ],
    ids=["a label without one", "two of one name", "labels", "a list", "broken"],
)
def test_names_that_do_not_fit_are_none(tmp_path: Path, text: str) -> None:
    assert find(tmp_path, {"map.json": text}) == ({}, "")


def test_labels_that_are_words_keep_them(tmp_path: Path) -> None:
    assert find(tmp_path, {"map.json": json.dumps({"cat": "Katze", "dog": "Hund"})}, {"cat", "dog"}) == ({}, "")
