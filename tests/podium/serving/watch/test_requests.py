"""The log, read again."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from podium.errors import PodiumError
from podium.serving.watch.requests import read_requests


def write(path: Path, *whens: int, end: str = "") -> None:
    line = {"model": "digits/3", "refused": False, "label": "one", "probability": 0.5, "unsure": None, "width": 8}
    with path.open("a") as file:
        for when in whens:
            file.write(json.dumps(line | {"when": when, "height": 8, "brightness": 1.0, "contrast": 2, "sharpness": 3}))
            file.write("\n")
        file.write(end)


def test_the_files_of_several_processes_are_one_table_in_the_order_of_time(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", 30, 10)
    write(tmp_path / "b.jsonl", 20)
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.png").write_bytes(b"")
    table = read_requests(tmp_path).table
    assert table["when"].tolist() == [10, 20, 30]
    assert [Path(image).name for image in table["image"]] == ["1.png", "", ""]
    later = read_requests(tmp_path, datetime.fromtimestamp(20, UTC)).table
    assert later["when"].tolist() == [20, 30]


def test_a_line_that_is_being_written_or_spoiled_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", 10, end='no json\n["a list"]\n{"dropped": 3, "refused": true, "when": 5}\n{"when": 2')
    requests = read_requests(tmp_path)
    assert (len(requests.table), requests.spoiled, requests.dropped) == (2, 2, 3)


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_no_log_is_said_with_the_way_to_have_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(PodiumError, match="podium serve --log"):
        read_requests(tmp_path / name)
