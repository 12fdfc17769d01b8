import hashlib
import shutil
import tarfile
from pathlib import Path

import pytest

from podium.config.datasets import ArchiveSource
from podium.datasets.archive import ARCHIVE, Archive
from podium.datasets.sources import fetch
from podium.errors import PodiumError
from tests.makers import make_archive, make_rows, make_table


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    return make_archive(tmp_path / "downloads", train=make_table(make_rows(6))) / ARCHIVE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "raw"
    path.mkdir()
    return path


def fetch_from(path: Path, folder: Path, sha256: str | None = None) -> str:
    return fetch(ArchiveSource(kind="archive", path=str(path), sha256=sha256), folder, folder.parent / "downloads")


@pytest.mark.parametrize("asked", [True, False])
def test_a_zip_arrives_byte_for_byte(delivered: Path, folder: Path, asked: bool) -> None:
    content = delivered.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    line = fetch_from(delivered, folder, digest if asked else None)
    assert [path.name for path in folder.iterdir()] == [ARCHIVE]
    assert (folder / ARCHIVE).read_bytes() == content
    assert f"(1 files, {len(content):,} bytes, sha256 {digest[:12]}…)" in line


def test_a_path_may_begin_at_the_home_folder(
    delivered: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    fetch_from(Path("~/downloads") / ARCHIVE, folder)
    assert (folder / ARCHIVE).read_bytes() == delivered.read_bytes()


def test_another_zip_than_the_one_asked_for_is_refused_with_both_digests(delivered: Path, folder: Path) -> None:
    digest = hashlib.sha256(delivered.read_bytes()).hexdigest()
    with pytest.raises(PodiumError, match=f"its sha256 is {digest}, expected {'0' * 64}"):
        fetch_from(delivered, folder, "0" * 64)


def test_a_folder_is_packed_to_the_same_bytes_twice(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for place in folders:
        data = tmp_path / f"data-{place.name}"
        data.mkdir()
        (data / "train.csv").write_text(make_table(make_rows(6)))
        (data / "read me.txt").write_text("señal")
        place.mkdir()
        assert "(2 files, " in fetch_from(data, place)
    assert (folders[0] / ARCHIVE).read_bytes() == (folders[1] / ARCHIVE).read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Path.unlink, r"There is no archive at /.*/archive\.zip\. Download the dataset by hand"),
        (lambda path: path.write_bytes(b""), r"\(0 bytes\) is not a zip archive.*cut short"),
        (lambda path: path.write_bytes(b"<!doctype html>"), "It is a web page: the download needed a login"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "is not a zip archive.*cut short"),
    ],
    ids=["missing", "empty", "html", "truncated"],
)
def test_what_cannot_be_a_dataset_is_refused(delivered: Path, folder: Path, change, words: str) -> None:
    change(delivered)
    with pytest.raises(PodiumError, match=words):
        fetch_from(delivered, folder)


def test_an_empty_folder_is_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "nothing" / "here").mkdir(parents=True)
    with pytest.raises(PodiumError, match="nothing holds no files"):
        fetch_from(tmp_path / "nothing", folder)


def test_a_zip_of_the_test_data_passes(shared_data: Path, folder: Path) -> None:
    zips = shared_data / "broken"
    shutil.copy(zips / "good.zip", folder.parent)
    assert "(2 files, " in fetch_from(folder.parent / "good.zip", folder)


def test_a_tar_arrives_as_it_is_inside_a_zip(tmp_path: Path, folder: Path) -> None:
    with tarfile.open(tmp_path / "Pets.TAR.GZ", "w:gz") as tar:
        (tmp_path / "1.png").write_bytes(b"one")
        tar.add(tmp_path / "1.png", "cat/1.png")
    fetch_from(tmp_path / "Pets.TAR.GZ", folder)
    with Archive(folder) as archive:
        assert archive.read("Pets.TAR.GZ/cat/1.png") == b"one"
