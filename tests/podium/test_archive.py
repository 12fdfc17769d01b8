import os
import zipfile
from pathlib import Path

import pytest

from podium.archive import check_zip, open_member, pack_folder
from podium.errors import PodiumError
from tests.makers import TEST_DATA, make_archive, make_rows, make_table


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut short"),
        (b"<!DOCTYPE html><html>Sign in</html>", "needed a login"),
        (b"\n  <html><body>Sign in</body></html>", "needed a login"),
        (b"label,pixel1\n3,4\n", "cut short"),
    ],
    ids=["empty", "doctype", "html", "csv"],
)
def test_what_is_no_zip_is_refused_with_its_name_its_size_and_a_guess(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "data.zip"
    path.write_bytes(content)
    with pytest.raises(PodiumError, match=rf"data\.zip \({len(content)} bytes\) is not a zip archive.*{reason}"):
        check_zip(path)


def test_a_zip_cut_short_is_refused(tmp_path: Path) -> None:
    path = make_archive(tmp_path, train=make_table(make_rows(50))) / "archive.zip"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(PodiumError, match="cut short"):
        check_zip(path)


@pytest.mark.skipif(not TEST_DATA.is_dir(), reason="there is no test data")
@pytest.mark.parametrize(("name", "members"), [("good", 2), ("truncated", None), ("html", None)])
def test_the_zips_of_the_test_data_are_judged_as_its_oracle_says(name: str, members: int | None) -> None:
    path = TEST_DATA / "broken" / f"{name}.zip"
    if members:
        assert check_zip(path) == members
    else:
        with pytest.raises(PodiumError, match="is not a zip archive"):
            check_zip(path)


def test_a_folder_packs_to_the_same_bytes_whatever_its_dates_and_its_order(tmp_path: Path) -> None:
    names = [f"{folder}/{number}.csv" for folder in "ba" for number in range(9)]
    for folder, order in ((tmp_path / "one", names), (tmp_path / "two", names[::-1])):
        for age, name in enumerate(order):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, (age * 1e8, age * 1e8))
        assert pack_folder(folder, folder.with_suffix(".zip")) == len(names)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == sorted(names)
        assert all(archive.read(name).decode() == name for name in names)


def test_links_out_of_a_folder_are_not_packed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    (outside / "secret.txt").write_text("secret")
    (folder / "file.txt").write_text("file")
    (folder / "link.txt").symlink_to(outside / "secret.txt")
    (folder / "linked").symlink_to(outside)
    assert pack_folder(folder, tmp_path / "archive.zip") == 1
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        assert archive.namelist() == ["file.txt"]


def test_a_member_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    raw = make_archive(tmp_path / "dots", train="a\n")
    with (
        pytest.raises(PodiumError, match=r"archive of dots has no file 'trian\.csv'.*Did you mean 'train\.csv'"),
        open_member(raw, "trian.csv"),
    ):
        pass


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("data", id="checksum"),
        "stream",
        "header",
    ],
)
def test_a_damaged_member_is_a_podium_error_that_names_it(tmp_path: Path, place: str) -> None:
    raw = make_archive(tmp_path / "dots", train=make_table(make_rows(500)))
    path = raw / "archive.zip"
    content = bytearray(path.read_bytes())
    start = 30 + len("train.csv")  # a local header is 30 bytes and the name
    match place:
        case "data":
            content[len(content) - 200] ^= 0x55
        case "stream":
            content[start] |= 0b110  # a block type that deflate does not have
        case "header":
            content[0] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(
        PodiumError, match=r"'train\.csv' in the archive of dots cannot be read.*Download the archive again"
    ):
        read_all(raw, "train.csv")


def read_all(raw: Path, name: str) -> bytes:
    with open_member(raw, name) as member:
        return member.read()
