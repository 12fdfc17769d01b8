import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from podium.datasets.archive import Archive, pack_folder
from podium.datasets.archive.encodings import guess_encoding
from podium.datasets.archive.packing import Packer
from podium.errors import PodiumError

COMPOSED, APART = (unicodedata.normalize(form, "Äpfel") for form in ("NFC", "NFD"))


def archive_of(tmp_path: Path, names: list[bytes]) -> Archive:
    """An archive whose names are not marked as UTF-8."""
    raw = tmp_path / "dots"
    raw.mkdir()
    with Packer(raw / "archive.zip", raw_names=True) as packer:
        for number, name in enumerate(names):
            with packer.create(name.decode("utf-8", "surrogateescape")) as sink:
                sink.write(b"%d" % number)
    return Archive(raw)


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("gb18030", ["苹果/1.jpg", "香蕉/1.jpg", "橙子/1.jpg"]),
        ("gb18030", ["猫/1.jpg", "狗/1.jpg"]),  # `猫` has the bytes of `è` in UTF-8
        ("gb18030", ["苹果/图1.jpg", "香蕉/图2.jpg"]),  # `图`, those of a Greek letter
        ("cp932", ["犬/表.png", "猫/ソ.png", "りんご/1.png"]),  # the second byte of these is a backslash
        ("big5", ["蘋果/1.jpg", "香蕉/1.jpg"]),
        ("cp949", ["사과/1.jpg", "바나나/1.jpg", "고양이/1.jpg"]),
        ("cp866", ["яблоко/1.jpg", "груша/1.jpg"]),
        ("cp1251", ["яблоко/1.jpg", "груша/1.jpg"]),
        ("cp437", ["Äpfel/1.jpg", "Größe/1.jpg"]),
        ("cp850", ["maçã/1.jpg", "pêra/1.jpg", "melão/1.jpg"]),
        ("cp1252", ["Äpfel/1.jpg", "Größe/1.jpg", "jalapeño/1.jpg"]),
    ],
)
def test_unmarked_names_are_read_by_their_letters_and_the_guess_is_told(
    tmp_path: Path, codec: str, names: list[str]
) -> None:
    with archive_of(tmp_path, [name.encode(codec) for name in names]) as opened:
        assert opened.files() == names
        assert opened.read(names[1]) == b"1"
        (note,) = opened.notes
        assert f"nothing marks as UTF-8: {len(names)}, such as '{names[0]}'" in note


@pytest.mark.parametrize("name", ["Äpfel", "犬", "사과", "яблоко", "Άλφα", "تفاحة", "แอปเปิล", "jabłko", "táo", "सेब"])
def test_unmarked_utf8_needs_no_note(tmp_path: Path, name: str) -> None:
    with archive_of(tmp_path, [f"{name}/1.jpg".encode(), b"plain/1.jpg"]) as opened:
        assert opened.files() == [f"{name}/1.jpg", "plain/1.jpg"]
        assert opened.notes == []


def test_what_no_encoding_makes_sense_of_is_read_byte_by_byte_and_told(tmp_path: Path) -> None:
    names = [bytes([0x81, 0x20, 0xFF, 0x9D, 0x20, 0xB1 + number, 0xDB]) for number in range(5)]
    with archive_of(tmp_path, names) as opened:
        assert [name.encode("cp437") for name in opened.files()] == names
        assert "no known encoding makes sense of them" in opened.notes[0]


def test_two_encodings_in_one_archive() -> None:
    guess = guess_encoding(["Äpfel/caf".encode() + b"\xe9.jpg", "Äpfel/größe.jpg".encode("cp1252")[6:]])
    assert guess.read("Äpfel/caf".encode() + b"\xe9.jpg") == "Äpfel/café.jpg"


def test_the_unicode_path_beside_a_name_is_the_name(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("_pfel/1.jpg")
    name = "Äpfel/1.jpg".encode()
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"_pfel/1.jpg")) + name
    stale = zipfile.ZipInfo("renamed.jpg")
    stale.extra = info.extra
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.writestr(info, b"x")
        target.writestr(stale, b"y")
    with Archive(tmp_path) as opened:
        assert opened.files() == ["Äpfel/1.jpg", "renamed.jpg"]
        assert opened.read("Äpfel/1.jpg") == b"x"


def test_names_that_are_marked_as_utf8_and_are_not_are_refused_for_that(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.writestr("ÄÄ.jpg", b"x")
    path = tmp_path / "archive.zip"
    path.write_bytes(path.read_bytes().replace("ÄÄ".encode(), b"\xff\xff\xff\xff"))
    with pytest.raises(PodiumError, match="file names are marked as UTF-8, and are not"):
        Archive(tmp_path)


def test_one_class_spelled_in_two_ways_is_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.writestr(f"train/{COMPOSED}/1.jpg", b"x")
        target.writestr(f"test/{APART}/2.jpg", b"y")
    with Archive(tmp_path) as opened:
        assert opened.files() == [f"train/{COMPOSED}/1.jpg", f"test/{COMPOSED}/2.jpg"]
        assert opened.read(f"test/{COMPOSED}/2.jpg") == opened.read(f"test/{APART}/2.jpg") == b"y"
        assert opened.files(f"test/{APART}") == [f"test/{COMPOSED}/2.jpg"]
        (note,) = opened.notes
        assert note.startswith("File names with accents beside their letters (NFD): 1, such as 'test/")


def test_two_files_whose_names_become_one_are_refused_with_both(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.writestr(COMPOSED, b"x")
        target.writestr(APART, b"y")
    with pytest.raises(PodiumError, match=r"two files named 'Äpfel', written '\\xc4pfel' and 'A\\u0308pfel'"):
        Archive(tmp_path)


def test_a_folder_with_names_that_are_no_utf8_is_packed_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "apple").mkdir(parents=True)
    for name in (b"caf\xe9.png", b"plain.png", "größe.png".encode()):
        Path(str(folder / "apple"), name.decode("utf-8", "surrogateescape")).write_bytes(name)
    pack_folder(folder, tmp_path / "archive.zip")
    with Archive(tmp_path) as opened:
        assert sorted(opened.files()) == ["apple/café.png", "apple/größe.png", "apple/plain.png"]
        assert opened.read("apple/café.png") == b"caf\xe9.png"
        assert "such as 'apple/café.png'" in opened.notes[0]


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("beside", [b"Birnen", "Äpfel".encode("cp437") + b"/", b"\xff\xff\xff\xff\xff\xff"])
def test_the_name_in_the_table_counts_not_the_one_beside_the_bytes(tmp_path: Path, packed: int, beside: bytes) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", packed) as target:
        target.writestr("Äpfel", b"x" * 500)
    name = "Äpfel".encode()
    path.write_bytes(path.read_bytes().replace(name, beside, 1))
    with Archive(tmp_path) as opened:
        assert opened.read("Äpfel") == b"x" * 500
