"""Formats that find image files in an archive."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from podium.config.datasets import CsvIndexFormat, DigitStructFormat, Format, ImageFolderFormat, LabelledNamesFormat
from podium.datasets.formats import image_files as image_files
from podium.datasets.formats import read, read_validated
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError


def image(number: int = 0) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), number, np.uint8)).save(content, "PNG")
    return content.getvalue()


def archive(tmp_path: Path, *images: str, **tables: str) -> Path:
    """A raw folder whose archive has these images, and tables by name (`_` is a dot)."""
    raw = tmp_path / "pets"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w") as target:
        for number, name in enumerate(images):
            target.writestr(name, image(number))
        for name, text in tables.items():
            target.writestr(name.replace("_", "."), text)
    return raw


def found(raw: Path, layout: Format) -> list[tuple[str, str, str]]:
    examples = list(read(raw, layout))
    assert all(isinstance(e.image, bytes) and not e.fault for e in examples)
    return [(e.id, e.part, e.label) for e in examples]


def faults(raw: Path, layout: Format) -> dict[str, str]:
    return {e.id: e.fault for e in read(raw, layout) if e.fault}


def folders(**named: str) -> ImageFolderFormat:
    return ImageFolderFormat(kind="image_folder", folders=named)


def names(separator: str = ".", **named: str) -> LabelledNamesFormat:
    return LabelledNamesFormat(kind="labelled_names", folders=named, separator=separator)


def index(**changes: Any) -> CsvIndexFormat:
    keys = {"tables": {"train": "train.csv"}, "path_column": "id", "label_column": "label", "folder": ".", "suffix": ""}
    return CsvIndexFormat(**({"kind": "csv_index"} | keys | changes))


# image_folder -----------------------------------------------------------------------------------------------


def test_folders_are_classes_at_any_depth_and_endings_in_any_case(tmp_path: Path) -> None:
    raw = archive(
        tmp_path,
        *("data/training/cat/1.jpg", "data/training/cat/a/b/2.JPEG", "data/training/dog/1.Png"),
        *("data/validation/dog/3.webp", "data/other/dog/4.jpg", "data/training/dog/notes.txt"),
    )
    assert found(raw, folders(train="data/training", test="./data/validation/")) == [
        ("data/training/cat/1.jpg", "train", "cat"),
        ("data/training/cat/a/b/2.JPEG", "train", "cat"),
        ("data/training/dog/1.Png", "train", "dog"),
        ("data/validation/dog/3.webp", "test", "dog"),
    ]


def test_the_whole_archive_may_be_the_folder(tmp_path: Path) -> None:
    raw = archive(tmp_path, "cat/1.jpg", "Dog/1.jpg")
    assert found(raw, folders(train=".")) == [("cat/1.jpg", "train", "cat"), ("Dog/1.jpg", "train", "Dog")]


def test_what_systems_leave_beside_images_is_none(tmp_path: Path) -> None:
    raw = archive(tmp_path, "cat/1.jpg", "__MACOSX/cat/._1.jpg", "cat/._1.jpg", "cat/.DS_Store", "cat/Thumbs.db")
    assert found(raw, folders(train=".")) == [("cat/1.jpg", "train", "cat")]


def test_an_image_outside_every_class_has_a_fault(tmp_path: Path) -> None:
    raw = archive(tmp_path, "train/cat/1.jpg", "train/2.jpg")
    assert faults(raw, folders(train="train")) == {"train/2.jpg": "it lies in no class's folder"}


def test_images_without_labels_may_lie_anywhere(tmp_path: Path) -> None:
    raw = archive(tmp_path, "train/cat/1.jpg", "test/2.jpg", "test/a/3.jpg")
    assert found(raw, folders(train="train", unlabelled="test"))[1:] == [
        ("test/2.jpg", "unlabelled", ""),
        ("test/a/3.jpg", "unlabelled", ""),
    ]


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("trian", "no folder 'trian'.*Did you mean 'train'"),
        ("empty", "'empty' of the archive of pets holds no image file. Expected names that end in one of .apng, .avif"),
    ],
)
def test_a_folder_without_images_is_refused(tmp_path: Path, folder: str, words: str) -> None:
    raw = archive(tmp_path, "train/1.jpg", "empty/readme.txt")
    with pytest.raises(PodiumError, match=words):
        list(read(raw, folders(train=folder)))


def test_an_image_damaged_in_the_archive_is_one_fault_and_no_end(tmp_path: Path) -> None:
    raw = archive(tmp_path, "cat/1.png", "cat/2.png", "cat/3.png")
    content = bytearray((raw / "archive.zip").read_bytes())
    content[content.index(image(1)) + 40] ^= 0xFF
    (raw / "archive.zip").write_bytes(content)
    assert faults(raw, folders(train=".")) == {"cat/2.png": "the file is damaged in the archive"}
    assert len(list(read(raw, folders(train=".")))) == 3


def test_a_file_too_large_for_an_image_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "MAX_BYTES", 10)
    raw = archive(tmp_path, "cat/1.png")
    assert "bytes, over 10" in faults(raw, folders(train="."))["cat/1.png"]


# labelled_names ---------------------------------------------------------------------------------------------


def test_names_begin_with_their_class(tmp_path: Path) -> None:
    raw = archive(tmp_path, "train/cat.0.jpg", "train/dog.10.jpg", "test1/1.jpg")
    assert found(raw, names(train="train", unlabelled="test1")) == [
        ("train/cat.0.jpg", "train", "cat"),
        ("train/dog.10.jpg", "train", "dog"),
        ("test1/1.jpg", "unlabelled", ""),
    ]


def test_any_separator_ends_the_class(tmp_path: Path) -> None:
    raw = archive(tmp_path, "sea_lion_1.jpg", "sea_lion.jpg", "_3.jpg")
    assert faults(raw, names("_", train=".")) == {"_3.jpg": "its name has no class before '_'"}
    assert [e.label for e in read(raw, names("_1", train="."))] == ["sea_lion", "", ""]
    assert len(faults(raw, names(".", train="."))) == 3


# csv_index --------------------------------------------------------------------------------------------------


def test_a_table_names_images_and_labels(tmp_path: Path) -> None:
    raw = archive(
        tmp_path,
        *("images/a.png", "images/b.png", "images/deep/c.png"),
        train_csv="\ufeffid,age,label\r\nb,7,cat\r\ndeep/c,,dog\r\n",
    )
    assert found(raw, index(folder="images", suffix=".png")) == [
        ("images/b.png", "train", "cat"),
        ("images/deep/c.png", "train", "dog"),
    ]


def test_a_row_without_an_image_is_a_fault_with_its_line(tmp_path: Path) -> None:
    raw = archive(tmp_path, "a.png", train_csv='id,label\na.png,"1\n2"\nz.png,1\n')
    assert faults(raw, index()) == {"train.csv:4": "train.csv, line 4: there is no image 'z.png' in the archive"}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("id,labels\na.png,1\n", r"train.csv has no column 'label'. Did you mean 'labels'.*format.label_column"),
        ("name,label\na.png,1\n", r"train.csv has no column 'id'.*format.path_column"),
        ("id,label\n", "a header and no rows"),
        ("", "no column 'id'"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, table: str, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        list(read(archive(tmp_path, "a.png", train_csv=table), index()))


# digit_struct -----------------------------------------------------------------------------------------------

DIGITS = """[
{"filename": "2.png", "boxes": [{"label": 10.0, "left": 1.0, "top": 0.5, "width": 2.0, "height": 3.0}]},
{"filename": "1.png", "boxes": [{"label": 3.0, "left": 0.0, "top": 0.0, "width": 2.0, "height": 2.0},
                                {"label": 5.0, "left": 2.0, "top": 0.0, "width": 2.0, "height": 2.0}]},
{"filename": "3.png", "boxes": []}]"""


def digits(which: str = "one") -> DigitStructFormat:
    places = {"train": "train"}, {"train": "train.json"}
    return DigitStructFormat(kind="digit_struct", folders=places[0], annotations=places[1], digits=which)


def test_one_digit_takes_images_with_exactly_one(tmp_path: Path) -> None:
    raw = archive(tmp_path, *(f"train/{number}.png" for number in (1, 2, 3)), train_json=DIGITS)
    (only,) = read(raw, digits())
    assert (only.id, only.part, only.label, only.box) == ("train/2.png", "train", "10", (1.0, 0.5, 2.0, 3.0))


def test_first_digit_takes_every_image_that_has_one(tmp_path: Path) -> None:
    raw = archive(tmp_path, *(f"train/{number}.png" for number in (1, 2, 3)), train_json=DIGITS)
    assert [(e.id, e.label) for e in read(raw, digits("first"))] == [("train/2.png", "10"), ("train/1.png", "3")]


def test_images_and_annotations_that_do_not_meet_are_faults(tmp_path: Path) -> None:
    raw = archive(tmp_path, "train/1.png", "train/3.png", "train/4.png", train_json=DIGITS)
    assert faults(raw, digits()) == {
        "train/2.png": "train.json names it, but it is not in the archive",
        "train/4.png": "train.json does not name it",
    }


def test_every_part_needs_its_annotations() -> None:
    with pytest.raises(ValidationError, match="the same parts"):
        DigitStructFormat(kind="digit_struct", folders={"train": "a"}, annotations={"test": "b"}, digits="one")


# read again, with a manifest --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layout", "tables"),
    [
        (folders(train="train"), {}),
        (names(separator="_", train="train"), {}),
        (index(), {"train_csv": "id,label\ntrain/b_1.png,b\ntrain/a_1.png,a\ntrain/none.png,a\n"}),
        (digits(), {"train_json": DIGITS.replace("2.png", "b_1.png").replace("3.png", "a_1.png")}),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_with_a_manifest_images_are_read_as_before_and_tables_not_at_all(
    tmp_path: Path, layout: Format, tables: dict[str, str]
) -> None:
    raw = archive(tmp_path, *(f"train/{name}.png" for name in ("a_1", "b_1", "c/d_2", "e")), **tables)
    before = list(read(raw, layout))
    usable = [example.image is not None for example in before]
    manifest = build_manifest(before)
    with zipfile.ZipFile(raw / "archive.zip") as whole:
        images = {name: whole.read(name) for name in whole.namelist() if name.endswith(".png")}
    with zipfile.ZipFile(raw / "archive.zip", "w") as rest:
        for name, content in images.items():
            rest.writestr(name, content)
    again = list(read_validated(raw, layout, manifest, usable))
    assert any(usable)
    assert [example.id for example in again] == manifest["id"].tolist()
    for old, new, wanted in zip(before, again, usable, strict=True):
        assert new == old or not wanted
    assert [example.image is not None for example in again] == usable
    assert not any(one.image for one in read_validated(raw, layout, manifest, [False] * len(manifest)))


def test_an_image_that_is_no_longer_in_the_archive_is_named(tmp_path: Path) -> None:
    raw, layout = archive(tmp_path, "train/a_1.png"), names(separator="_", train="train")
    manifest = build_manifest(read(raw, layout)).assign(id="train/a_2.png")
    with pytest.raises(PodiumError, match=r"no file 'train/a_2\.png'\. Did you mean 'train/a_1\.png'"):
        list(read_validated(raw, layout, manifest, [True]))


# Kaggle's own archives --------------------------------------------------------------------------------------


def test_both_forms_of_the_house_numbers_say_the_same(shared_data: Path, tmp_path: Path) -> None:
    raw = tmp_path / "svhn"
    raw.mkdir()
    (raw / "archive.zip").symlink_to(shared_data / "kaggle/datasets/stanfordu/street-view-house-numbers.zip")
    layouts = [
        DigitStructFormat(kind="digit_struct", folders={"test": "test"}, annotations={"test": table}, digits="first")
        for table in ("test/digitStruct.mat", "annotations/testDigitStruct.json")
    ]
    matlab, json = ([(e.id, e.label, e.box) for e in read(raw, layout)] for layout in layouts)
    assert matlab == json
    assert len(matlab) == 803
