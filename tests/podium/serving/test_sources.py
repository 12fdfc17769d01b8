import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image as Pillow

from podium.images.opening import BadImageError
from podium.serving.sources import Source, Sources, find_sources


def png(value: int = 0) -> bytes:
    content = io.BytesIO()
    Pillow.new("L", (3, 2), value).save(content, "PNG")
    return content.getvalue()


def find(*places: Path) -> Sources:
    return find_sources((place, place.name) for place in places)


def names(sources: Sources) -> list[str]:
    return [source.name for source in sources.found]


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_file_is_taken_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with find(tmp_path / "a.jpg", tmp_path / "none.png") as sources:
        assert sources.found == [Source("a.jpg", tmp_path / "a.jpg"), Source("none.png", tmp_path / "none.png")]


def test_of_a_folder_all_images_are_taken_in_the_order_of_their_names(tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for name in ("b/2.png", "b/1.PNG", "a.jpg", "without_ending", ".hidden.png", "__MACOSX/x.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png())
    for name in ("notes.txt", "labels.csv"):
        (root / name).write_text("id,label\n")
    with find(root) as sources:
        assert names(sources) == ["photos/a.jpg", "photos/b/1.PNG", "photos/b/2.png", "photos/without_ending"]
        assert sources.notes == ["photos: 2 files that are no images are passed over."]


def test_links_that_lead_out_of_a_folder_are_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "photos", tmp_path / "outside"
    for folder in (root, outside):
        folder.mkdir()
        (folder / "own.png").write_bytes(png())
    (root / "out.png").symlink_to(outside / "own.png")
    (root / "folder").symlink_to(outside)
    (root / "circle").symlink_to(root)
    (root / "inside.png").symlink_to(root / "own.png")
    (root / "nothing.png").symlink_to(root / "gone.png")
    with find(root) as sources:
        assert names(sources) == ["photos/inside.png", "photos/own.png"]
        assert sources.notes == ["photos: 1 link that leads out of the folder is not followed."]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_is_read_where_it_lies_with_those_inside_it(kind: str, tmp_path: Path) -> None:
    inner = zipped(tmp_path / "test1.zip", **{"test1/1.png": png(1), "test1/2.png": png(2)}).read_bytes()
    members = {"train/cat.0.png": png(), "test1.zip": inner, "README.md": b"hello", "__MACOSX/._x.png": b"junk"}
    path = tmp_path / f"all.{kind}"
    if kind == "zip":
        zipped(path, **members)
    else:
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    inside = f"{path.name}/" + ("" if kind == "zip" else f"{path.name}/")
    with find(path) as sources:
        found = {source.name: source.load() for source in sources.found}
        assert {name.rpartition("/")[2]: content for name, content in found.items()} == {
            "cat.0.png": png(),
            "1.png": png(1),
            "2.png": png(2),
        }
        assert f"{inside}test1.zip/test1/1.png" in found
        assert sources.notes == [f"{path.name}: 1 file that is no image is passed over."]
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([path.name, "test1.zip"])


@pytest.mark.parametrize(
    ("inside", "expected"),
    [("test1.zip/test1", ["1.png", "2.png"]), ("test1.zip/test1/2.png", ["2.png"]), ("test1.zip", ["1.png", "2.png"])],
)
def test_a_folder_in_an_archive_has_a_path(inside: str, expected: list[str], tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", **{"test1/1.png": png(), "test1/2.png": png()}).read_bytes()
    path = zipped(tmp_path / "all.zip", **{"test1.zip": inner, "train/cat.0.png": png()})
    with find_sources([(path / inside, f"all.zip/{inside}")]) as sources:
        assert names(sources) == [f"all.zip/test1.zip/test1/{name}" for name in expected]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty"), (b"no archive", "text"), (b"PK\3\4" + b"x" * 50, "cut short")],
)
def test_an_archive_that_cannot_be_read_is_one_bad_image(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "bad.zip").write_bytes(content)
    with find(tmp_path / "bad.zip") as sources:
        (source,) = sources.found
        told = source.load()
        assert isinstance(told, BadImageError)
        assert reason in str(told)


def test_a_folder_without_images_says_so(tmp_path: Path) -> None:
    with find(tmp_path) as sources:
        assert str(sources.found[0].load()) == "the folder holds no image"


def test_a_name_of_bad_bytes_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "caf\udce9.png").write_bytes(png())
    with find(tmp_path) as sources:
        assert names(sources) == [f"{tmp_path.name}/caf\\xe9.png"]
