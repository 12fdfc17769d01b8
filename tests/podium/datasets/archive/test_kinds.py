import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import py7zr
import pytest

from podium.config.datasets import ArchiveSource
from podium.datasets.archive import Archive, check_zip, kind_of
from podium.datasets.sources.archive import fetch
from podium.errors import PodiumError


def tar_of(mode: str = "") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=f"w:{mode}") as target:
        info = tarfile.TarInfo("cat/1.jpg")
        info.size = 3
        target.addfile(info, io.BytesIO(b"cat"))
    return content.getvalue()


def seven() -> bytes:
    content = io.BytesIO()
    with py7zr.SevenZipFile(content, "w") as target:
        target.writestr(b"cat", "cat/1.jpg")
    return content.getvalue()


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        target.writestr("cat/1.jpg", b"cat")
    return content.getvalue()


KINDS = [
    (b"", "It is empty", True),
    (bytes(5000), "nothing but zeros", True),
    (b"<!doctype html>", "a web page: the download needed a login", True),
    (zipped()[:-30], "a zip that was cut short", True),
    (b"\xde\xad\xbe\xef" * 9, "may have been cut short, or damaged", True),
    (seven(), "a 7z archive. Give it a name that ends in .7z", False),
    (tar_of(), "a tar. Give it a name that ends in .tar,", False),
    (tar_of("gz"), "a tar in gzip. Give it a name that ends in .tar.gz", False),
    (tar_of("bz2"), "a tar in bzip2. Give it a name that ends in .tar.bz2", False),
    (tar_of("xz"), "a tar in xz. Give it a name that ends in .tar.xz", False),
    (gzip.compress(b"label,pixel1"), "packed by gzip, and no tar", False),
    (lzma.compress(b"label,pixel1"), "packed by xz, and no tar", False),
    (
        b"Rar!\x1a\x07\x01\0" + b"x" * 99,
        "a RAR archive, which podium does not read. Unpack it (`unrar x 'data.zip'`",
        False,
    ),
    (b"\x28\xb5\x2f\xfd" + b"x" * 99, "packed by Zstandard", False),
    (b"\xff\xd8\xff\xe0" + b"x" * 99, "a JPEG image. Expected an archive, or a folder", False),
    (b"PAR1" + b"x" * 99, "a Parquet file", False),
    (b"%PDF-1.7 ", "a PDF", False),
    (
        b"version https://git-lfs.github.com/spec/v1\noid",
        "a pointer of Git LFS, not the file. Type `git lfs pull`",
        False,
    ),
    (b'{"code":403,"message":"denied"}', """text, which begins with '{"code":403""", False),
    ("größe,Äpfel\n".encode() * 100, "text, which begins with 'größe,Äpfel'", False),
    (b"PK\7\x08PK\3\4" + b"x" * 99, "one part of an archive in several", False),
]


def _name(value: object) -> str:
    """Bytes hold the time at which they were made, which would make each process's tests others."""
    return "" if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize(("content", "words", "again"), KINDS, ids=[words[:20] for _, words, _ in KINDS])
def test_what_a_file_is_that_is_no_zip_is_told_by_its_first_bytes(
    tmp_path: Path, content: bytes, words: str, again: bool
) -> None:
    (tmp_path / "data.zip").write_bytes(content)
    with pytest.raises(PodiumError) as problem:
        check_zip(tmp_path / "data.zip")
    assert words in str(problem.value)
    assert f"data.zip ({len(content):,} bytes) is not a zip archive." in str(problem.value)
    assert str(problem.value).endswith("Download it again.") is again


def given(tmp_path: Path, name: str, content: bytes) -> Archive:
    (tmp_path / name).write_bytes(content)
    raw = tmp_path / "raw"
    raw.mkdir()
    fetch(ArchiveSource(kind="archive", path=str(tmp_path / name)), raw, tmp_path)
    return Archive(raw)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Pets.7z", seven()),
        ("PETS.7Z", seven()),
        ("pets.tbz2", tar_of("bz2")),
        ("pets.tar.gz", tar_of()),
        ("pets.bin", zipped()),
    ],
    ids=_name,
)
def test_what_is_given_is_read_by_what_it_is(tmp_path: Path, name: str, content: bytes) -> None:
    with given(tmp_path, name, content) as opened:
        (file,) = opened.files(nested=True)
        assert opened.read(file) == b"cat"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("pets.7z", zipped(), r"pets\.7z \(.* bytes\) is no 7z archive"),
        ("pets.7z", tar_of("gz"), "a tar in gzip. Give it a name that ends in .tar.gz"),
        ("pets.tar.gz", seven(), "is no tar archive. It is a 7z archive. Give it a name that ends in .7z"),
        ("pets.tar.gz", b"<html>", "a web page"),
        (
            "pets.rar",
            b"Rar!\x1a\x07\0",
            r"Unpack it \(`unrar x 'pets\.rar'` or `7z x 'pets\.rar'`\) and name the folder",
        ),
        ("pets.7z.001", seven()[:50], r"one part of .* in several.*`cat 'pets\.7z'\.\* > 'pets\.7z'`"),
        (
            "pets.zip.001",
            zipped()[:50],
            r"one part of .* in several.*`zip -s 0 'pets\.zip' --out whole\.zip`|`cat 'pets",
        ),
        ("pets.z01", b"PK\7\x08PK\3\4", r"one part of .*`zip -s 0 'pets\.zip' --out whole\.zip`"),
    ],
    ids=_name,
)
def test_what_is_given_under_another_name_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(PodiumError, match=words):
        given(tmp_path, name, content)


@pytest.mark.parametrize("content", [seven(), tar_of("gz"), tar_of(), zipped()], ids=["7z", "tar.gz", "tar", "zip"])
@pytest.mark.parametrize("name", ["train.zip", "train.7z", "train.tar.gz"])
def test_inside_an_archive_the_bytes_count_and_not_the_name(tmp_path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.writestr(name, content)
    with Archive(tmp_path) as opened:
        assert opened.read(f"{name}/cat/1.jpg") == b"cat"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (
            "train.rar",
            b"Rar!\x1a\x07\0",
            "'train.rar' in the archive of .* is no archive that podium reads. It is a RAR",
        ),
        ("train.7z.001", seven(), "one part of an archive in several"),
        ("train.zip.001", zipped()[:50], "one part of an archive in several"),
        ("train.zip", b"<html>", "a web page"),
        ("train.7z", b"version https://git-lfs", "Git LFS"),
    ],
    ids=_name,
)
def test_an_archive_inside_that_is_not_read_is_refused_by_itself(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.writestr(name, content)
        target.writestr("cat/1.jpg", b"cat")
    with Archive(tmp_path) as opened:
        with pytest.raises(PodiumError, match=words):
            opened.files(name, nested=True)
        assert opened.read("cat/1.jpg") == b"cat"


def test_any_bytes_are_of_some_kind_or_none() -> None:
    for start in (b"", b"PK", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", bytes(512), b"\xff" * 512):
        kind_of(start)
