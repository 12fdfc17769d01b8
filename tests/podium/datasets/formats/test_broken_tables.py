import csv
from pathlib import Path

import pytest

from podium.datasets.formats import read
from podium.errors import PodiumError
from tests.makers import LAYOUT, TEST_DATA, make_archive

LETTERS = {str(label) for label in range(25)} - {"9"}


def oracle() -> list[tuple[str, str]]:
    path = TEST_DATA / "broken" / "oracle.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["file"], row["expected"]) for row in csv.DictReader(file) if row["kind"] == "csv"]


@pytest.mark.parametrize(("name", "expected"), oracle())
def test_every_table_of_the_test_data_is_judged_as_its_oracle_says(
    shared_data: Path, tmp_path: Path, name: str, expected: str
) -> None:
    try:
        examples = [*read(make_archive(tmp_path, train=(shared_data / "broken" / name).read_bytes()), LAYOUT)]
    except PodiumError:
        assert expected == "reject"
    else:
        faults = [example.id for example in examples if example.fault]
        unknown = {example.label for example in examples if not example.fault} - LETTERS
        assert (bool(faults), bool(unknown)) == (expected == "reject", expected == "warn")
        assert len(examples) >= 20
