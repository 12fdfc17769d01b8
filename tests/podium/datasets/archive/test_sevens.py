import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import py7zr
import pytest

from podium.datasets.archive import Archive, reading, sevens
from podium.errors import PodiumError

FILES = {"train/cat/1.jpg": b"cat" * 1000, "train/Äpfel/2.jpg": os.urandom(5000), "empty.txt": b""}


def seven_of(files: dict[str, bytes], **options: Any) -> bytes:
    content = io.BytesIO()
    with py7zr.SevenZipFile(content, "w", **options) as target:
        for name, data in files.items():
            target.writestr(data, name)
    return content.getvalue()


def put(tmp_path: Path, content: bytes, packed: int = zipfile.ZIP_STORED) -> Archive:
    raw = tmp_path / "raw" / "dots"
    raw.mkdir(parents=True)
    with zipfile.ZipFile(raw / "archive.zip", "w") as target:
        target.writestr("data/train.7z", content, packed)
    return Archive(raw)


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_7z_in_a_zip_is_a_folder(tmp_path: Path, packed: int) -> None:
    with put(tmp_path, seven_of(FILES), packed) as opened:
        assert opened.files("data/train.7z/train/cat") == ["data/train.7z/train/cat/1.jpg"]
        assert {name: opened.read(f"data/train.7z/{name}") for name in FILES} == FILES
        assert len(opened.files(nested=True)) == 3
        assert opened.notes == []
        assert [*(tmp_path / "raw").iterdir()] == [tmp_path / "raw/dots"], "what was unpacked has no name on the disk"


@pytest.mark.parametrize(
    "filters",
    [
        [{"id": py7zr.FILTER_LZMA}],
        [{"id": py7zr.FILTER_BZIP2}],
        [{"id": py7zr.FILTER_COPY}],
        [{"id": py7zr.FILTER_DELTA}, {"id": py7zr.FILTER_LZMA2, "preset": 1}],
        [{"id": py7zr.FILTER_X86}, {"id": py7zr.FILTER_LZMA}],
    ],
    ids=["lzma", "bzip2", "copy", "delta", "bcj"],
)
def test_usual_ways_to_pack_are_read(tmp_path: Path, filters: list[dict[str, int]]) -> None:
    with put(tmp_path, seven_of(FILES, filters=filters)) as opened:
        assert {name: opened.read(f"data/train.7z/{name}") for name in FILES} == FILES


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ([{"id": py7zr.FILTER_PPMD, "order": 6, "mem": "16m"}], "PPMd"),
        ([{"id": py7zr.FILTER_DEFLATE}], "Deflate"),
        ([{"id": py7zr.FILTER_ZSTD, "level": 3}], "Zstandard"),
    ],
)
def test_ways_to_pack_without_a_limit_are_refused_by_name(tmp_path: Path, filters: list[Any], words: str) -> None:
    with (
        put(tmp_path, seven_of(FILES, filters=filters)) as opened,
        pytest.raises(PodiumError, match=rf"'data/train.7z' in the archive of dots is packed by {words}\. Unpack it"),
    ):
        opened.files("data/train.7z")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"password": "secret"}, "is encrypted. Unpack it yourself"),
        ({"password": "secret", "header_encryption": True}, "is encrypted. Unpack it yourself"),
    ],
    ids=["files", "header"],
)
def test_an_encrypted_7z_is_refused(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with put(tmp_path, seven_of(FILES, **options)) as opened, pytest.raises(PodiumError, match=words):
        opened.files("data/train.7z")


def named(name: str) -> bytes:
    """A 7z with a name that py7zr would not write."""
    content, placeholder = io.BytesIO(), "x" * len(name)
    with py7zr.SevenZipFile(content, "w") as target:
        target.set_encoded_header_mode(False)
        target.writestr(b"x", placeholder)
    changed = bytearray(content.getvalue().replace(placeholder.encode("utf-16-le"), name.encode("utf-16-le")))
    begin, size = struct.unpack_from("<QQ", changed, 12)
    struct.pack_into("<I", changed, 28, zlib.crc32(changed[32 + begin : 32 + begin + size]))
    struct.pack_into("<I", changed, 8, zlib.crc32(changed[12:32]))
    return bytes(changed)


@pytest.mark.parametrize("name", ["../evil.jpg", "a/../../evil.jpg", "..\\evil.jpg", "/tmp/evil.jpg", "C:/evil.jpg"])  # noqa: S108
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with put(tmp_path, named(name)) as opened, pytest.raises(PodiumError, match="leads out of its folder"):
        opened.files("data/train.7z")


@pytest.mark.parametrize("name", ["a/./1.jpg", "a//1.jpg", "a\\1.jpg", "./a/1.jpg"])
def test_a_path_has_one_form(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").symlink_to("/tmp")  # noqa: S108 - what lies where podium runs does not matter
    monkeypatch.chdir(tmp_path)
    with put(tmp_path, named(name)) as opened:
        assert opened.files("data/train.7z") == ["data/train.7z/a/1.jpg"]


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with py7zr.SevenZipFile(content, "w") as target:
        target.writestr(b"x", "a/1.jpg")
        target.writestr(b"y", "a/1.jpg")
    with put(tmp_path, content.getvalue()) as opened, pytest.raises(PodiumError, match=r"two files named 'a/1\.jpg'"):
        opened.files("data/train.7z")


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    content = io.BytesIO()
    with py7zr.SevenZipFile(content, "w") as target:
        target.write(tmp_path / "link", "link")
    assert stat.S_ISLNK((tmp_path / "link").lstat().st_mode)
    with put(tmp_path, content.getvalue()) as opened, pytest.raises(PodiumError, match="'link' is a link or a device"):
        opened.files("data/train.7z")


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HARMLESS_BYTES", 1 << 16)
    opened = put(tmp_path, seven_of({"zeros": bytes(8 << 20)}))
    monkeypatch.setattr(py7zr.SevenZipFile, "extractall", lambda *_, **__: pytest.fail("it was unpacked"))
    with opened, pytest.raises(PodiumError, match="grows beyond all measure"):
        opened.files("data/train.7z")


def test_too_many_files_and_too_much_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = put(tmp_path, seven_of(FILES))
    monkeypatch.setattr(sevens, "MAX_FILES", 2)
    with pytest.raises(PodiumError, match="has 3 files, more than 2"):
        opened.files("data/train.7z")
    monkeypatch.undo()
    monkeypatch.setattr(sevens, "_MAX_MEMORY", 1 << 10)
    with opened, pytest.raises(PodiumError, match="bytes of memory to be unpacked"):
        opened.files("data/train.7z")


@pytest.mark.parametrize("place", [20, 40, 2000, -20])
def test_a_damaged_7z_is_refused(tmp_path: Path, place: int) -> None:
    content = bytearray(seven_of(FILES))
    content[place] ^= 0xFF
    with (
        put(tmp_path, bytes(content)) as opened,
        pytest.raises(PodiumError, match=r"is a 7z that is damaged \(.+\)\. Download the archive again, or unpack"),
    ):
        opened.files("data/train.7z")
