import csv
import io
import logging
import os
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.datasets.archive import Archive, DamagedFile, check_zip, pack_folder, reading, zips
from podium.datasets.archive.folders import Packed
from podium.errors import PodiumError
from tests.makers import make_archive, make_rows, make_table


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "cut short"),
        (b"<!DOCTYPE html><html>Sign in</html>", "needed a login"),
        (b"\n  <html><body>Sign in</body></html>", "needed a login"),
        (b"label,pixel1\n3,4\n", "It is text, which begins with 'label,pixel1'"),
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


def test_the_zips_of_the_test_data_are_judged_as_its_oracle_says(
    shared_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with (shared_data / "broken/oracle.csv").open(encoding="utf-8") as file:
        oracle = {row["file"]: row["expected"] for row in csv.DictReader(file) if row["kind"] == "zip"}
    verdicts = {}
    for name in oracle:
        caplog.clear()
        try:
            check_zip(shared_data / "broken" / name)
            verdicts[name] = "warn" if caplog.records else "ok"
        except PodiumError as error:
            verdicts[name] = "reject" if name in str(error) else str(error)
    assert verdicts == oracle
    assert len(oracle) > 5


def test_a_folder_packs_to_the_same_bytes_whatever_its_dates_and_its_order(tmp_path: Path) -> None:
    names = [f"{folder}/{number}.csv" for folder in "ba" for number in range(9)]
    for folder, order in ((tmp_path / "one", names), (tmp_path / "two", names[::-1])):
        for age, name in enumerate(order):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
            os.utime(path, (age * 1e8, age * 1e8))
        assert pack_folder(folder, folder.with_suffix(".zip")) == Packed(len(names), [])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == sorted(names)
        assert all(archive.read(name).decode() == name for name in names)


def test_a_member_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path) -> None:
    raw = make_archive(tmp_path / "dots", train="a\n")
    with (
        Archive(raw) as opened,
        pytest.raises(PodiumError, match=r"archive of dots has no file 'trian\.csv'.*Did you mean 'train\.csv'"),
    ):
        opened.read("trian.csv")


@pytest.mark.parametrize("place", ["checksum", "stream", "header"])
def test_a_damaged_member_is_an_error_that_names_it(tmp_path: Path, place: str) -> None:
    raw = make_archive(tmp_path / "dots", train=make_table(make_rows(500)))
    path = raw / "archive.zip"
    content = bytearray(path.read_bytes())
    start = 30 + len("train.csv")  # a local header is 30 bytes and the name
    match place:
        case "checksum":
            content[len(content) - 200] ^= 0x55
        case "stream":
            content[start] |= 0b110  # a block type that deflate does not have
        case "header":
            content[0] ^= 0xFF
    path.write_bytes(content)
    with (
        Archive(raw) as opened,
        pytest.raises(DamagedFile, match=r"'train\.csv' in the archive of dots cannot be read.*Download the archive"),
    ):
        opened.read("train.csv")


# what strangers put into archives -------------------------------------------------------------------------


def zip_of(**files: bytes) -> bytes:
    """A stored zip; `__` in a name is a slash, `_` before an ending a dot."""
    return zip_with(lambda target: [target.writestr(path_of(name), data) for name, data in files.items()])


def path_of(name: str) -> str:
    return name.replace("__", "/").replace("_", ".")


def zip_with(fill: Callable[[zipfile.ZipFile], object]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        fill(target)
    return content.getvalue()


def tar_with(mode: str, *members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=f"w:{mode}") as target:
        for info, data in members:
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return content.getvalue()


def put(tmp_path: Path, content: bytes) -> Path:
    raw = tmp_path / "raw" / "dots"
    raw.mkdir(parents=True)
    (raw / "archive.zip").write_bytes(content)
    return raw


def of_kind(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil.jpg", "leads out of its folder"),
        ("pics/../../evil.jpg", "leads out of its folder"),
        ("/tmp/evil.jpg", "leads out of its folder"),  # noqa: S108 - the very thing to refuse
        ("..\\evil.jpg", "leads out of its folder"),
        ("C:\\evil.jpg", "leads out of its folder"),
        (of_kind("link.jpg", stat.S_IFLNK), "link or a device"),
        (of_kind("device", stat.S_IFCHR), "link or a device"),
        (of_kind("pipe", stat.S_IFIFO), "link or a device"),
    ],
)
def test_what_would_leave_the_folder_is_refused(tmp_path: Path, name: str, words: str) -> None:
    raw = put(tmp_path, zip_with(lambda target: target.writestr(name, b"x")))
    with pytest.raises(PodiumError, match=words):
        check_zip(raw / "archive.zip")
    with pytest.raises(PodiumError, match=words):
        Archive(raw)


def test_names_with_two_dots_in_them_are_names(tmp_path: Path) -> None:
    raw = put(tmp_path, zip_with(lambda target: target.writestr("a..b/..c.jpg", b"x")))
    with Archive(raw) as opened:
        assert opened.read("a..b/..c.jpg") == b"x"


def test_a_zip_from_windows_has_folders(tmp_path: Path) -> None:
    raw = put(tmp_path, zip_with(lambda target: target.writestr("train\\cat\\1.jpg", b"x")))
    with Archive(raw) as opened:
        assert opened.files("train") == ["train/cat/1.jpg"]


@pytest.mark.parametrize("second", ["./a/1.jpg", "a//1.jpg", "a/./1.jpg", "a\\1.jpg", ".\\a\\1.jpg"])
def test_a_path_has_one_form(tmp_path: Path, second: str) -> None:
    raw = put(tmp_path, zip_with(lambda target: target.writestr(second, b"x")))
    with Archive(raw) as opened:
        assert opened.files() == ["a/1.jpg"]
        assert opened.read("a/1.jpg") == opened.read(second) == b"x"
        assert opened.files("a/") == opened.files("./a") == ["a/1.jpg"]


def test_folders_are_no_files_whichever_slash_they_end_with(tmp_path: Path) -> None:
    def fill(target: zipfile.ZipFile) -> None:
        for name in ("a/", "a\\b\\", "./", "a/b/1.jpg"):
            target.writestr(name, b"")

    with Archive(put(tmp_path, zip_with(fill))) as opened:
        assert opened.files() == ["a/b/1.jpg"]


def twice(first: bytes, second: bytes, packed: int = zipfile.ZIP_STORED) -> bytes:
    def fill(target: zipfile.ZipFile) -> None:
        target.writestr("a/1.jpg", first)
        target.writestr("./a/1.jpg", second, packed)

    return zip_with(fill)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"two files named 'a/1.jpg', written 'a/1.jpg' and './a/1.jpg', with diff"):
        Archive(put(tmp_path, twice(b"x", b"y")))


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
def test_a_file_that_is_there_twice_is_taken_once_and_told(tmp_path: Path, packed: int) -> None:
    with Archive(put(tmp_path, twice(b"x" * 99, b"x" * 99, packed))) as opened:
        assert opened.files() == ["a/1.jpg"]
        assert opened.read("a/1.jpg") == b"x" * 99
        assert opened.notes == [
            "Files that are there twice, with the same bytes: 1, such as 'a/1.jpg'; each is taken once."
        ]


def test_two_files_with_the_same_checksum_are_compared_by_their_bytes(tmp_path: Path) -> None:
    content = bytearray(twice(b"first", b"other"))
    content = bytearray(
        bytes(content).replace(struct.pack("<I", zlib.crc32(b"other")), struct.pack("<I", zlib.crc32(b"first")))
    )
    with pytest.raises(PodiumError, match="two files named"):
        Archive(put(tmp_path, bytes(content)))


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_of(a_jpg=b"x"))
    content[content.index(b"PK\1\2") + 8] |= 1
    with pytest.raises(PodiumError, match=r"'a.jpg' is encrypted"):
        Archive(put(tmp_path, bytes(content)))


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zip_with(lambda target: target.writestr("zeros.csv", bytes(1 << 22), zipfile.ZIP_DEFLATED))
    raw = put(tmp_path, bomb)
    check_zip(raw / "archive.zip")  # 4 MiB are harmless
    monkeypatch.setattr(zips, "HARMLESS_BYTES", 1 << 20)
    with pytest.raises(PodiumError, match=r"grows 10.. times when unpacked"):
        check_zip(raw / "archive.zip")


def test_many_files_that_grow_together_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(target: zipfile.ZipFile) -> None:
        for number in range(40):
            target.writestr(f"{number}.csv", bytes(1 << 20), zipfile.ZIP_DEFLATED)

    raw = put(tmp_path, zip_with(fill))
    check_zip(raw / "archive.zip")
    monkeypatch.setattr(zips, "HARMLESS_BYTES", 1 << 21)
    with pytest.raises(PodiumError, match=r"grows from .* to 41,943,040 bytes"):
        check_zip(raw / "archive.zip")
    monkeypatch.setattr(zips, "MAX_FILES", 39)
    with pytest.raises(PodiumError, match="has 40 files, more than 39"):
        check_zip(raw / "archive.zip")


# archives in archives -------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_in_a_zip_is_a_folder(tmp_path: Path, packed: int) -> None:
    inner = zip_of(train__cat_jpg=b"cat", train__dog_jpg=b"dog", other_txt=b"-")
    raw = put(tmp_path, zip_with(lambda target: target.writestr("data/train.zip", inner, packed)))
    with Archive(raw) as opened:
        assert opened.files("data/train.zip/train") == ["data/train.zip/train/cat.jpg", "data/train.zip/train/dog.jpg"]
        assert opened.files("data/train.zip")[-1] == "data/train.zip/other.txt"
        assert opened.read("data/train.zip/train/dog.jpg") == b"dog"
        assert opened.size("data/train.zip/train/dog.jpg") == 3
        assert opened.files() == ["data/train.zip"]
        assert len(opened.files(nested=True)) == 3
        assert [*raw.parent.iterdir()] == [raw], "what was unpacked has no name on the disk"
        with pytest.raises(PodiumError, match=r"no folder 'data/train.zip/trian'.*Did you mean 'data/train.zip/train'"):
            opened.files("data/train.zip/trian")


@pytest.mark.parametrize(
    ("mode", "ending"), [("", "tar"), ("gz", "tar.gz"), ("gz", "tgz"), ("bz2", "tar.bz2"), ("xz", "TAR.XZ")]
)
def test_a_tar_in_a_zip_is_a_folder(tmp_path: Path, mode: str, ending: str) -> None:
    folder = tarfile.TarInfo("train")
    folder.type = tarfile.DIRTYPE
    inner = tar_with(
        mode, (folder, b""), (tarfile.TarInfo("./train/1.png"), b"one"), (tarfile.TarInfo("train/2.png"), b"")
    )
    raw = put(tmp_path, zip_with(lambda target: target.writestr(f"train.{ending}", inner)))
    with Archive(raw) as opened:
        assert opened.files(f"train.{ending}/train") == [f"train.{ending}/train/{n}.png" for n in (1, 2)]
        assert opened.read(f"train.{ending}/train/1.png") == b"one"


def link(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("train/passwd")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (tarfile.TarInfo("../evil.jpg"), "leads out"),
        (tarfile.TarInfo("/tmp/evil.jpg"), "leads out"),  # noqa: S108 - the very thing to refuse
        (link(tarfile.SYMTYPE), "a link that leads out"),
        (link(tarfile.LNKTYPE), "a link that leads out"),
        (link(tarfile.CHRTYPE), "a device or a pipe"),
        (link(tarfile.FIFOTYPE), "a device or a pipe"),
    ],
)
def test_a_tar_that_would_leave_its_folder_is_refused(tmp_path: Path, member: tarfile.TarInfo, words: str) -> None:
    raw = put(tmp_path, zip_of(train_tar=tar_with("", (tarfile.TarInfo("1.png"), b"x"), (member, b""))))
    with Archive(raw) as opened, pytest.raises(PodiumError, match=f"'train.tar' in the archive of dots.*{words}"):
        opened.files("train.tar")


@pytest.mark.parametrize("mode", ["", "gz", "xz"])
def test_a_tar_cut_short_is_refused(tmp_path: Path, mode: str) -> None:
    whole = tar_with(mode, (tarfile.TarInfo("1.png"), os.urandom(5000)))
    raw = put(tmp_path, zip_of(train_tar=whole[:3000]))
    with Archive(raw) as opened, pytest.raises(PodiumError, match=r"cannot be read.*Download the archive again"):
        opened.files("train.tar")


def test_a_tar_that_is_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HARMLESS_BYTES", 1 << 16)
    raw = put(tmp_path, zip_of(train_tar=tar_with("gz", (tarfile.TarInfo("zeros"), bytes(1 << 22)))))
    with Archive(raw) as opened, pytest.raises(PodiumError, match="grows beyond all measure"):
        opened.files("train.tar")


def test_archives_are_not_followed_for_ever(tmp_path: Path) -> None:
    content = zip_of(a_jpg=b"x")
    for _ in range(5):
        content = zip_of(in_zip=content)
    with Archive(put(tmp_path, content)) as opened, pytest.raises(PodiumError, match="deeper than 3 archives"):
        opened.files("in.zip/in.zip/in.zip/in.zip/in.zip")


@pytest.mark.slow
@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_a_million_tiny_files_are_listed_in_seconds(tmp_path: Path, count: int) -> None:
    def fill(target: zipfile.ZipFile) -> None:
        target.writestr("images/0.jpg", b"x")
        (real,) = target.filelist
        for number in range(1, count):
            listed = zipfile.ZipInfo(f"images/{number % 1000}/{number}.jpg")
            listed.file_size, listed.compress_size, listed.CRC, listed.header_offset = 1, 1, real.CRC, 0
            target.filelist.append(listed)

    raw = put(tmp_path, zip_with(fill))
    began = time.monotonic()
    assert check_zip(raw / "archive.zip") == count
    with Archive(raw) as opened:
        assert len(opened.files("images")) == count
        assert len(opened.files("images/7")) == count // 1000
        assert opened.read("images/0.jpg") == b"x"
    assert time.monotonic() - began < count / 8000, "a few seconds; minutes would mean that all pairs are looked at"
