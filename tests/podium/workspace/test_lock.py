"""What a dvc.lock says of outputs, held against files."""

import hashlib
import json
from pathlib import Path

import pytest

from podium.errors import PodiumError
from podium.workspace.lock import Output, agrees, agrees_in_cache, read_outputs

LOCK = """schema: '2.0'
stages:
  train@a:
    cmd: python
    outs:
    - path: models/a/model.keras
      hash: md5
      md5: "{md5}"
"""


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def listing(files: dict[str, bytes]) -> bytes:
    """Give what DVC writes of a folder."""
    return json.dumps([{"md5": md5(content), "relpath": name} for name, content in sorted(files.items())]).encode()


def test_outputs_are_known_by_stage_and_path(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK.format(md5="0" * 32))
    path = Path("models/a/model.keras")
    assert read_outputs(tmp_path / "dvc.lock") == {"train@a": {path: Output(path, "0" * 32)}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "stages: 3\n",
        "stages: {a: {outs: [{path: x}]}}\n",
        "stages: {a: {outs: [{path: /etc/passwd, md5: x}]}}\n",
        "stages: {a: {outs: [{path: ../x, md5: x}]}}\n",
        "<<<<<<< HEAD\nstages: {}\n",
        "a: &a [*a, *a]\n",
        "!!python/object/apply:os.system ['true']\n",
    ],
)
def test_what_is_no_lock_is_one_message(tmp_path: Path, content: str) -> None:
    (tmp_path / "dvc.lock").write_text(content)
    with pytest.raises(PodiumError, match=r"is no dvc\.lock that podium can read"):
        read_outputs(tmp_path / "dvc.lock")


def test_a_file_agrees_by_its_bytes(tmp_path: Path) -> None:
    output = Output(Path("a"), md5(b"x"))
    assert agrees(output, tmp_path / "a") is None
    (tmp_path / "a").write_bytes(b"x")
    assert agrees(output, tmp_path / "a") is True
    (tmp_path / "a").write_bytes(b"y")
    assert agrees(output, tmp_path / "a") is False


def test_a_folder_agrees_by_the_bytes_and_names_of_its_files(tmp_path: Path) -> None:
    files = {"b.npy": b"1", "a/c.npy": b"2", "a.npy": b"3"}
    output = Output(Path("data"), f"{md5(listing(files))}.dir")
    assert agrees(output, tmp_path / "data") is None
    for name, content in files.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    assert agrees(output, tmp_path / "data") is True
    (tmp_path / "data/a.npy").rename(tmp_path / "data/d.npy")
    assert agrees(output, tmp_path / "data") is False


def test_a_cache_agrees_if_it_is_whole_and_its_bytes_are_what_they_are_called(tmp_path: Path) -> None:
    files = {"a": b"1", "b": b"2"}
    whole = md5(listing(files))
    output = Output(Path("data"), f"{whole}.dir")
    assert agrees_in_cache(output, tmp_path) is None
    contents = {f"{whole}.dir": listing(files)} | {md5(content): content for content in files.values()}
    for name, content in contents.items():
        place = tmp_path / name[:2] / name[2:]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
    assert agrees_in_cache(output, tmp_path) is True
    last = tmp_path / md5(b"2")[:2] / md5(b"2")[2:]
    last.write_bytes(b"3")
    assert agrees_in_cache(output, tmp_path) is False
    last.unlink()
    assert agrees_in_cache(output, tmp_path) is None
    with pytest.raises(PodiumError, match="no md5"):
        agrees_in_cache(Output(Path("data"), "../../etc/passwd"), tmp_path)
