import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from podium.datasets.archive import Archive, pack_folder, reading
from podium.errors import PodiumError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file, beside a store with another."""
    for place in ("folder/apple", "store/pear"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "1.png").write_text(place)
    return tmp_path / "folder"


def packed(folder: Path) -> tuple[list[str], list[str]]:
    """The names that a folder is packed under, and the notes, without what stands before them."""
    notes = pack_folder(folder, folder.parent / "archive.zip").notes
    with Archive(folder.parent) as opened:
        assert opened.notes == [f"Noted when it was packed: {note}" for note in notes]
        return opened.files(), notes


def test_links_out_of_the_folder_are_followed_and_told(folder: Path) -> None:
    (folder / "pear").symlink_to(Path("../store/pear"))
    (folder / "apple" / "2.png").symlink_to(folder.parent / "store/pear/1.png")
    names, notes = packed(folder)
    assert names == ["apple/1.png", "apple/2.png", "pear/1.png"]
    assert notes == ["Links out of the folder: 2, such as 'pear'; what they lead to is taken."]


def test_links_within_the_folder_are_followed_and_told(folder: Path) -> None:
    (folder / "same").symlink_to("apple")
    names, notes = packed(folder)
    assert names == ["apple/1.png", "same/1.png"]
    assert notes == ["Links to another place in the folder: 1, such as 'same'; what they lead to is taken."]


@pytest.mark.parametrize("target", [".", "..", "/", "../apple"])
def test_a_link_to_a_folder_that_it_lies_in_ends(folder: Path, target: str) -> None:
    (folder / "apple" / "again").symlink_to(target)
    names, notes = packed(folder)
    assert names == ["apple/1.png"]
    assert notes == ["Links to a folder that they lie in: 1, such as 'apple/again'; left aside."]


def test_two_folders_that_link_to_each_other_end(folder: Path) -> None:
    (folder / "apple" / "store").symlink_to(folder.parent / "store")
    (folder.parent / "store" / "back").symlink_to(folder / "apple")
    names, notes = packed(folder)
    assert names == ["apple/1.png", "apple/store/pear/1.png"]
    assert "Links to a folder that they lie in: 1, such as 'apple/store/back'; left aside." in notes


def test_a_link_to_nothing_and_what_is_no_file_are_told(folder: Path) -> None:
    (folder / "plum").symlink_to("../gone/plum")
    os.mkfifo(folder / "pipe")
    (folder / "null").symlink_to("/dev/null")
    names, notes = packed(folder)
    assert names == ["apple/1.png"]
    assert notes == [
        "Devices, pipes or sockets: 2, such as 'null'; left aside.",
        "Links to nothing: 1, such as 'plum'; left aside.",
    ]


def test_a_link_that_was_copied_as_text_is_told(folder: Path) -> None:
    (folder / "plum").write_text("/somewhere/store/plum")
    (folder / "LICENSE").write_text("MIT/X11")
    names, notes = packed(folder)
    assert names == ["LICENSE", "apple/1.png", "plum"]
    assert notes == ["Files that hold nothing but a path, like links copied as text: 1, such as 'plum'; not followed."]


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_a_folder_that_cannot_be_read_is_an_error_that_names_it(folder: Path) -> None:
    (folder / "apple").chmod(0)
    with pytest.raises(PodiumError, match=r"apple' in the folder .* cannot be read: Permission denied"):
        pack_folder(folder, folder.parent / "archive.zip")


def test_the_same_links_give_the_same_bytes(folder: Path) -> None:
    for name in ("pear", "plum", "quince"):
        (folder / name).symlink_to("../store/pear")
    pack_folder(folder, folder.parent / "one.zip")
    pack_folder(folder, folder.parent / "two.zip")
    assert (folder.parent / "one.zip").read_bytes() == (folder.parent / "two.zip").read_bytes()


@pytest.mark.parametrize(
    ("comment", "notes"),
    [
        (b"made by hand", []),
        (b'{"other": 1}', []),
        (b'{"podium\'s notes": 7}', []),
        (b"[" * 60_000, []),
        (
            b'{"podium\'s notes": ["' + b"x" * 999 + b'", 8]}',
            ["Noted when it was packed: " + "x" * 500, "Noted when it was packed: 8"],
        ),
    ],
)
def test_a_stranger_s_comment_is_text_at_most(tmp_path: Path, comment: bytes, notes: list[str]) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.comment = comment
    with Archive(tmp_path) as opened:
        assert opened.notes == notes


# in a tar -------------------------------------------------------------------------------------------------


def tar_in(tmp_path: Path, *members: tuple[str, bytes, str | bytes]) -> Archive:
    """An archive with `t.tar.gz` of files (name, type, content) and links (name, type, target)."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as target:
        for name, kind, what in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if isinstance(what, bytes):
                info.size = len(what)
                target.addfile(info, io.BytesIO(what))
            else:
                info.linkname = what
                target.addfile(info)
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as target:
        target.writestr("t.tar.gz", content.getvalue())
    return Archive(tmp_path)


FILE, HARD, SYMBOLIC = tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE


@pytest.mark.parametrize(
    ("kind", "target"),
    [(HARD, "./store/1.png"), (SYMBOLIC, "../store/1.png"), (SYMBOLIC, "../apple/../store//1.png"), (HARD, "other")],
)
def test_a_link_to_a_file_of_the_tar_is_that_file(tmp_path: Path, kind: bytes, target: str) -> None:
    members = ("apple/2.png", kind, target), ("other", SYMBOLIC, "store/1.png"), ("./store/1.png", FILE, b"one")
    with tar_in(tmp_path, *members) as opened:
        assert opened.read("t.tar.gz/apple/2.png") == b"one"
        assert opened.files("t.tar.gz/apple") == ["t.tar.gz/apple/2.png"]
        assert opened.notes == []


def test_a_link_to_a_folder_of_the_tar_is_that_folder(tmp_path: Path) -> None:
    files = [(f"store/apple/{number}.png", FILE, b"%d" % number) for number in range(3)]
    with tar_in(tmp_path, ("data/apple", SYMBOLIC, "../store/apple"), *files) as opened:
        assert opened.files("t.tar.gz/data") == [f"t.tar.gz/data/apple/{number}.png" for number in range(3)]
        assert opened.read("t.tar.gz/data/apple/2.png") == b"2"


def test_links_that_lead_nowhere_or_in_a_circle_are_told(tmp_path: Path) -> None:
    members = [
        ("a", SYMBOLIC, "b"),
        ("b", SYMBOLIC, "a"),
        ("c/d", SYMBOLIC, ".."),
        ("e", HARD, "gone"),
        ("f", FILE, b"f"),
    ]
    with tar_in(tmp_path, *members) as opened:
        assert opened.files("t.tar.gz") == ["t.tar.gz/f"]
        start = "In 't.tar.gz': Noted when it was packed: Links that lead to"
        assert opened.notes == [
            f"{start} themselves, or to a folder that they lie in: 3, such as 'a'; left aside.",
            f"{start} nothing in it: 1, such as 'e'; left aside.",
        ]


def test_links_that_make_a_tar_grow_beyond_measure_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HARMLESS_BYTES", 1 << 10)
    links = [(f"{number}", HARD, "file") for number in range(400)]
    opened = tar_in(tmp_path, ("file", FILE, os.urandom(10_000)), *links)
    with opened, pytest.raises(PodiumError, match="grows beyond all measure"):
        opened.files("t.tar.gz")
