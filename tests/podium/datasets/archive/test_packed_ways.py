import bz2
import io
import lzma
import os
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import inflate64
import pytest

from podium.datasets.archive import Archive, DamagedFile, check_zip
from podium.errors import PodiumError

CONTENT = os.urandom(3000) + bytes(200_000) + b"the end"


def deflate64(content: bytes) -> bytes:
    deflater = inflate64.Deflater()
    return bytes(deflater.deflate(content) + deflater.flush())


def zip_of(packed: bytes, method: int, content: bytes, *, size: int | None = None) -> bytes:
    """A zip with one member `a.csv`, packed elsewhere, that claims a size of its own."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a.csv", packed)
        archive.filelist[0].compress_type = method
        archive.filelist[0].CRC = zlib.crc32(content)
        archive.filelist[0].file_size = len(content) if size is None else size
    return target.getvalue()


def opened(tmp_path: Path, content: bytes) -> Archive:
    (tmp_path / "archive.zip").write_bytes(content)
    return Archive(tmp_path)


PACKED = {9: deflate64, 12: bz2.compress, 95: lambda content: lzma.compress(content, preset=0)}


@pytest.mark.parametrize("method", [*PACKED])
@pytest.mark.parametrize("content", [CONTENT, b"", b"x"], ids=["long", "empty", "short"])
def test_a_member_packed_otherwise_is_read(tmp_path: Path, method: int, content: bytes) -> None:
    with opened(tmp_path, zip_of(PACKED[method](content), method, content)) as archive:
        assert check_zip(tmp_path / "archive.zip") == 1
        assert archive.read("a.csv") == content
        with archive.open("a.csv") as file:
            assert file.read(10) == content[:10]
            assert b"".join(iter(lambda: file.read(777), b"")) == content[10:]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_zipfile_packs_is_read(tmp_path: Path, method: int) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr("a.csv", CONTENT)
        archive.writestr("empty.csv", b"")
    with opened(tmp_path, target.getvalue()) as read:
        assert read.read("a.csv") == CONTENT
        assert read.read("empty.csv") == b""


def test_lzma_without_a_mark_at_its_end_is_read_as_7_zip_writes_it(tmp_path: Path) -> None:
    alone = lzma.compress(CONTENT, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "preset": 1}])
    packed = b"\x13\x00\x05\x00" + alone[:5] + alone[13:]
    with opened(tmp_path, zip_of(packed, zipfile.ZIP_LZMA, CONTENT)) as read:
        assert read.read("a.csv") == CONTENT


@pytest.mark.parametrize("method", [*PACKED])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda packed: packed[: len(packed) // 2], "cannot be read"),
        (lambda packed: packed[:1500] + bytes([packed[1500] ^ 0xFF]) + packed[1501:], "cannot be read"),
        (lambda packed: b"", "its end is not there"),
        (lambda packed: os.urandom(500), "cannot be read"),
    ],
    ids=["half", "changed", "nothing", "noise"],
)
def test_a_damaged_member_is_an_error_that_names_it(tmp_path: Path, method: int, damage, words: str) -> None:
    archive = opened(tmp_path, zip_of(damage(PACKED[method](CONTENT)), method, CONTENT))
    with archive, pytest.raises(DamagedFile, match=rf"'a\.csv' in the archive of .*{words}"):
        archive.read("a.csv")


@pytest.mark.parametrize("method", [8, *PACKED])
def test_a_bomb_that_claims_to_be_small_takes_no_memory(tmp_path: Path, method: int) -> None:
    def deflate(content: bytes) -> bytes:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(content) + packer.flush()

    bomb = (PACKED | {8: deflate})[method](bytes(100 << 20))
    archive = opened(tmp_path, zip_of(bomb, method, b"", size=1000))
    tracemalloc.start()
    with archive, pytest.raises(DamagedFile):
        archive.read("a.csv")
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("method", "words"), [(93, "Zstandard"), (98, "PPMd"), (1, "shrink"), (77, "an unknown method")]
)
def test_an_unknown_way_to_pack_is_refused_at_once_by_its_name(tmp_path: Path, method: int, words: str) -> None:
    with pytest.raises(PodiumError, match=rf"'a\.csv' is packed by {words} \(method {method}\)\. Unpack it yourself"):
        opened(tmp_path, zip_of(b"x", method, b"x"))


def test_a_zip_inside_that_is_packed_by_deflate64_is_a_folder(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("cat/1.jpg", b"cat")
    content = zip_of(deflate64(inner.getvalue()), 9, inner.getvalue()).replace(b"a.csv", b"a.zip")
    with opened(tmp_path, content) as read:
        assert read.read("a.zip/cat/1.jpg") == b"cat"


def test_a_file_that_lies_before_the_beginning_is_damage(tmp_path: Path) -> None:
    content = bytearray(zip_of(b"x", 0, b"x"))
    end = content.rindex(b"PK\5\6")
    (place,) = struct.unpack_from("<I", content, end + 16)
    struct.pack_into("<I", content, end + 16, place + 5)
    with pytest.raises(PodiumError, match=r"table of contents is damaged \('a\.csv' lies before its beginning\)"):
        opened(tmp_path, bytes(content))


def test_the_last_part_of_several_is_told_with_the_command_that_joins_them(tmp_path: Path) -> None:
    content = bytearray(zip_of(b"x", 0, b"x"))
    struct.pack_into("<HH", content, content.rindex(b"PK\5\6") + 4, 2, 2)
    (tmp_path / "pets.zip").write_bytes(content)
    with pytest.raises(
        PodiumError, match=r"one part of an archive in several.*`zip -s 0 'pets\.zip' --out whole\.zip`"
    ):
        check_zip(tmp_path / "pets.zip")
