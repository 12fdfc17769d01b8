import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from podium.config.datasets import (
    CsvIndexFormat,
    DigitStructFormat,
    ImageFolderFormat,
    LabelledNamesFormat,
    PixelCsvFormat,
)
from podium.datasets.archive import Archive
from podium.datasets.formats.detect import Survey, survey
from podium.datasets.formats.survey.words import part_of
from podium.errors import PodiumError

Files = Mapping[str, bytes]


def images(*folders: str, count: int = 3, name: str = "{}.jpg") -> dict[str, bytes]:
    """So many files in each folder, each with bytes of its own."""
    names = [f"{folder}/{name.format(number)}".removeprefix("./") for folder in folders for number in range(count)]
    return {path: path.encode() for path in names}


def named(folder: str, *classes: str, name: str = "{}.{}.jpg") -> dict[str, bytes]:
    """Three files of each class in one folder, whose names begin with it."""
    return {key: b"" for each in classes for key in images(folder, name=name.format(each, "{}"))}


def zipped(files: Files) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()


def tarred(files: Files, link: str = "") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
    return content.getvalue()


def table(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def look(folder: Path, files: Files) -> Survey:
    raw = folder / "pets"
    raw.mkdir()
    (raw / "archive.zip").write_bytes(zipped(files))
    with Archive(raw) as archive:
        return survey(archive)


def image_folder(found: Survey) -> dict[str, str]:
    assert isinstance(found.format, ImageFolderFormat)
    return {**found.format.folders}


def labelled_names(found: Survey) -> tuple[dict[str, str], str]:
    assert isinstance(found.format, LabelledNamesFormat)
    return {**found.format.folders}, found.format.separator


def csv_index(found: Survey) -> CsvIndexFormat:
    assert isinstance(found.format, CsvIndexFormat)
    return found.format


def pixel_csv(found: Survey) -> tuple[dict[str, str], str]:
    assert isinstance(found.format, PixelCsvFormat)
    return {**found.format.files}, found.format.label_column


@pytest.mark.parametrize(
    ("name", "part"),
    [
        *(("train", "train"), ("Training", "train"), ("seg_train", "train"), ("TrainImages", "train")),
        *(("test1.zip", "test"), ("TESTING", "test"), ("x-val-2", "validation"), ("valid", "validation")),
        *(("trainer", None), ("contest", None), ("value", None), ("train_test", None), ("", None)),
    ],
)
def test_a_part_is_told_by_a_whole_word(name: str, part: str | None) -> None:
    assert part_of(name) == part


# class folders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["cat", "dog"], {"train": "."}),
        (["pets/data/cat", "pets/data/dog/deep/er"], {"train": "pets/data"}),
        (["data3a/training/a", "data3a/training/b", "data3a/validation/a", "data3a/validation/b"], "data3a"),
        (["TRAIN/a", "TRAIN/b", "Val/a", "Val/b"], {"train": "TRAIN", "validation": "Val"}),
        (
            ["seg_train/seg_train/sea", "seg_train/seg_train/ice", "seg_test/seg_test/sea", "seg_test/seg_test/ice"],
            {"train": "seg_train/seg_train", "test": "seg_test/seg_test"},
        ),
        (["photos/a", "photos/b", "test/a", "test/b"], {"train": "photos", "test": "test"}),
        (["test/a", "test/b"], {"train": "test"}),
        (["car", "train", "bus"], {"train": "."}),
        (["x/train/train", "x/train/bus", "x/test/train", "x/test/bus"], {"train": "x/train", "test": "x/test"}),
        (["cat/train", "cat/test", "dog/train", "dog/test"], {"train": "*/train", "test": "*/test"}),
        (["x/cat/Training", "x/cat/val", "x/dog/Training"], {"train": "x/*/Training", "validation": "x/*/val"}),
        (["trainset/a", "trainset/b", "testset/a", "testset/b"], {"train": "trainset", "test": "testset"}),
        (["training/a", "training/b", "evaluation/a", "evaluation/b"], {"train": "training", "test": "evaluation"}),
        (["things/training shoes", "things/test tubes", "things/valid passports"], {"train": "things"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_class_is_the_folder_below_the_part_or_below_all_wrappers(
    tmp_path: Path, folders: list[str], expected: dict[str, str] | str
) -> None:
    if isinstance(expected, str):
        expected = {"train": f"{expected}/training", "validation": f"{expected}/validation"}
    assert image_folder(look(tmp_path, images(*folders))) == expected


@pytest.mark.parametrize("test", ["test", "test/all", "test1/test1"])
def test_a_test_folder_without_classes_is_unlabelled(tmp_path: Path, test: str) -> None:
    found = look(tmp_path, images("train/a", "train/b", "validation/a", "validation/b") | images(test, count=9))
    assert image_folder(found) == {"train": "train", "validation": "validation", "unlabelled": test}
    assert found.notes == []


def test_a_test_folder_whose_folders_are_no_classes_of_train_is_unlabelled(tmp_path: Path) -> None:
    found = look(tmp_path, images("train/a", "train/b", "test/1", "test/2"))
    assert image_folder(found) == {"train": "train", "unlabelled": "test"}


def test_all_flat_folders_that_are_named_test_are_unlabelled(tmp_path: Path) -> None:
    found = look(tmp_path, images("Training/a", "Training/b", "Test") | images("test-of-many", count=9))
    assert image_folder(found) == {"train": "Training", "unlabelled": ["Test", "test-of-many"]}


def test_a_small_test_folder_is_no_wrapper_of_the_large_train(tmp_path: Path) -> None:
    found = look(tmp_path, images("train/a", "train/b", count=500) | images("test/a", "test/b", count=1))
    assert image_folder(found) == {"train": "train", "test": "test"}


def test_an_image_beside_the_wrapper_is_left_aside(tmp_path: Path) -> None:
    found = look(tmp_path, images("x/cat", "x/dog", count=60) | {"banner.png": b""})
    assert image_folder(found) == {"train": "x"}


def test_without_train_the_largest_part_is_train(tmp_path: Path) -> None:
    found = look(tmp_path, images("test/a", "test/b", count=4) | images("val/a", "val/b"))
    assert image_folder(found) == {"train": "test", "validation": "val"}
    assert found.notes == ["The archive has no train; its test is train."]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("", "x/", {"train": "train", "test": "test"}),
        ("chest/", "chest/chest/", {"train": "chest/train", "test": "chest/test"}),
    ],
)
def test_of_a_tree_that_is_there_twice_the_shorter_path_is_taken(
    tmp_path: Path, one: str, other: str, expected: dict[str, str]
) -> None:
    tree = images("train/a", "train/b", "test/a", "test/b")
    found = look(tmp_path, {f"{place}{name}": data for place in (other, one) for name, data in tree.items()})
    assert image_folder(found) == expected
    assert found.notes[0] == f"'{other}train' has the same images as '{one}train' and is left aside."
    assert len(found.notes) == 2


def test_train_in_upper_and_in_lower_case_may_be_copies(tmp_path: Path) -> None:
    files = images("Train/a", "Train/b")
    found = look(tmp_path, files | {name.lower(): data for name, data in files.items()})
    assert image_folder(found) == {"train": "Train"}
    assert found.notes == ["'train' has the same images as 'Train' and is left aside."]


def test_of_class_folders_that_are_there_twice_those_are_taken_whose_folder_holds_no_others(tmp_path: Path) -> None:
    tree = images("cat", "dog")
    found = look(tmp_path, tree | {f"x/{name}": data for name, data in tree.items()})
    assert image_folder(found) == {"train": "x"}
    assert found.notes[0] == "'cat' has the same images as 'x/cat' and is left aside."


def test_other_images_of_the_same_names_and_sizes_are_no_copy(tmp_path: Path) -> None:
    files = images("new/train/a", "new/train/b") | images("old/train/a", "old/train/b")
    with pytest.raises(
        PodiumError, match=r"2 folders may be train: 'new/train' \(6 images\), 'old/train' \(6 images\)"
    ):
        look(tmp_path, files)


def test_the_same_images_in_train_and_validation_are_two_parts(tmp_path: Path) -> None:
    tree = {f"{part}/{name}": data for part in ("train", "validation") for name, data in images("a", "b").items()}
    assert image_folder(look(tmp_path, tree)) == {"train": "train", "validation": "validation"}


def test_of_two_sets_of_parts_none_is_taken_unasked(tmp_path: Path) -> None:
    files = images("small/train/a", "small/train/b") | images("large/train/a", "large/train/b", count=4)
    with pytest.raises(PodiumError, match=r"2 folders may be train: .*\n.*6 of 14 images lie.*\n.*`--as NUMBER`"):
        look(tmp_path, files)


def test_archives_inside_are_folders(tmp_path: Path) -> None:
    files = {"train.zip": zipped(images("train/a", "train/b")), "test.tar.gz": tarred(images("test/a", "test/b"))}
    assert image_folder(look(tmp_path, files)) == {"train": "train.zip/train", "test": "test.tar.gz/test"}


def test_an_archive_a_class_is_refused_because_the_format_does_not_look_inside(tmp_path: Path) -> None:
    files = {"cat.zip": zipped(images("cat")), "dog.zip": zipped(images("dog"))}
    with pytest.raises(PodiumError, match=r"6 images below '\.' lie in archives of their own.*`podium init FOLDER`"):
        look(tmp_path, files)


def test_an_archive_inside_that_is_not_safe_is_passed_over_and_told(tmp_path: Path) -> None:
    files = images("a", "b") | {"more.tar.gz": tarred({}, link="/etc/passwd"), "__MACOSX/._x.zip": b"junk"}
    found = look(tmp_path, files)
    assert image_folder(found) == {"train": "."}
    (note,) = found.notes
    assert note.startswith("'more.tar.gz' is passed over: ")
    assert "is a link" in note


def test_what_macos_leaves_is_no_image(tmp_path: Path) -> None:
    files = images("x/train/a", "x/train/b") | images("__MACOSX/x/train/a", "__MACOSX/x/train/c", name="._{}.jpg")
    found = look(tmp_path, files)
    assert (image_folder(found), found.notes) == ({"train": "x/train"}, [])


# names --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "separator"),
    [
        *(("{}.{}.jpg", "."), ("{}_{}.png", "_"), ("{}-{}.jpeg", "-"), ("{} ({}).jpg", " ("), ("{} {}.jpg", " ")),
        *(("big {} ({}).jpg", " ("), ("my_{}.{}.jpg", "."), ("{}-{}_7.jpg", "-"), ("great_{}_{}.jpg", "_")),
    ],
)
def test_a_name_begins_with_its_class_up_to_the_separator_before_a_number(
    tmp_path: Path, name: str, separator: str
) -> None:
    assert labelled_names(look(tmp_path, named("all/of/it", "cat", "dog", name=name))) == (
        {"train": "all/of/it"},
        separator,
    )


def test_of_two_separators_the_one_with_the_fewest_classes_is_taken(tmp_path: Path) -> None:
    files = [f"{label}-{n}_{m}.jpg" for label in ("cat", "dog") for n in range(3) for m in range(3)]
    assert labelled_names(look(tmp_path, dict.fromkeys(files, b"")))[1] == "-"


def test_names_without_a_class_are_unlabelled(tmp_path: Path) -> None:
    files = {"train.zip": zipped(named("train", "cat", "dog")), "test1.zip": zipped(images("test1", count=9))}
    assert labelled_names(look(tmp_path, files)) == ({"train": "train.zip/train", "unlabelled": "test1.zip/test1"}, ".")


def test_names_have_parts_too(tmp_path: Path) -> None:
    files = named("x/train", "cat", "dog") | named("x/test", "dog", "cat")
    assert labelled_names(look(tmp_path, files)) == ({"train": "x/train", "test": "x/test"}, ".")


@pytest.mark.parametrize(
    "files",
    [
        images("photos", count=9, name="IMG_{}.jpg"),
        named("photos", "2019", "2020"),
        named("photos", "cat", "dog", name="{}{}.jpg"),
        {f"photos/{letter}_1.jpg": b"" for letter in "abcdef"},
        images("train/images", "test/images"),
    ],
    ids=["one class", "no letters", "no separator", "one image a class", "no classes"],
)
def test_names_that_say_nothing_are_refused_with_what_was_found_and_what_would_do(
    tmp_path: Path, files: dict[str, bytes]
) -> None:
    with pytest.raises(PodiumError) as raised:
        look(tmp_path, files | {"labels.json": b"{}", "README": b"photographs"})
    words = str(raised.value)
    assert words.startswith(
        "The archive of pets is laid out in no way that podium knows. Expected images in one folder"
    )
    assert f"{len(files)} .jpg, 1 .json, 1 without ending; for example '{next(iter(files))}'" in words
    assert "Expected images in one folder a class" in words
    assert "docs/your-own-dataset.md" in words


def test_an_archive_without_images_or_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"Found: 2 \.txt.*; for example 'a\.txt', 'b\.txt'\."):
        look(tmp_path, {"a.txt": b"", "b.txt": b""})


# tables of pixels ---------------------------------------------------------------------------------------


def pixels(count: int = 16, label: str = "label", last: bool = False, rows: int = 2) -> bytes:
    names = [f"pixel{number}" for number in range(count)]
    header = [*names, label] if last else [label, *names]
    return table(",".join(header), *[",".join(["1"] * (count + 1))] * rows)


def test_tables_of_pixels_are_told_by_their_headers_and_their_parts_by_names(tmp_path: Path) -> None:
    files = {"sign_train.csv": pixels(), "sign_test.csv": pixels(), "Valid/x.csv": pixels(), "notes.csv": table("a,b")}
    assert pixel_csv(look(tmp_path, files)) == (
        {"train": "sign_train.csv", "validation": "Valid/x.csv", "test": "sign_test.csv"},
        "label",
    )


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + pixels(), pixels().replace(b"\n", b"\r\n"), pixels(last=True), pixels(label='"label"')]
)
def test_headers_come_in_many_shapes(tmp_path: Path, data: bytes) -> None:
    assert pixel_csv(look(tmp_path, {"x.csv": data})) == ({"train": "x.csv"}, "label")


def test_of_a_table_that_is_there_twice_the_shorter_path_is_taken(tmp_path: Path) -> None:
    files = {"sign_test/sign_test.csv": pixels(), "sign_test.csv": pixels(), "sign_train.csv": pixels(rows=3)}
    found = look(tmp_path, files)
    assert pixel_csv(found)[0] == {"train": "sign_train.csv", "test": "sign_test.csv"}
    assert found.notes == []


def test_of_two_tables_for_one_part_none_is_taken_unasked(tmp_path: Path) -> None:
    files = {"train_a.csv": pixels(rows=2), "train_b.csv": pixels(rows=3), "c.csv": pixels(25)}
    with pytest.raises(PodiumError, match=r"The table 'train_a\.csv' would do as well as 'train_b\.csv'\.\n"):
        look(tmp_path, files)


def test_a_table_of_test_alone_is_train(tmp_path: Path) -> None:
    found = look(tmp_path, {"test.csv": pixels()})
    assert pixel_csv(found)[0] == {"train": "test.csv"}
    assert found.notes == ["The archive has no train; its test is train."]


@pytest.mark.parametrize("data", [pixels(15), pixels(9), b"", b"\xff\xfe\n"])
def test_other_tables_are_no_tables_of_pixels(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PodiumError, match="in no way that podium knows"):
        look(tmp_path, {"train.csv": data})


# tables of paths ----------------------------------------------------------------------------------------

LABELS = ("cat", "cat", "dog", "dog")


def index(*paths: str, header: str = "file,label", labels: tuple[str, ...] = LABELS) -> bytes:
    return table(header, *(f"{path},{label}" for path, label in zip(paths, labels, strict=True)))


@pytest.mark.parametrize(
    ("paths", "where", "folder", "suffix"),
    [
        ("images/{}.jpg", "images/{}.jpg", ".", ""),
        ("./images/{}.jpg", "images/{}.jpg", ".", ""),
        ("{}.jpg", "deep/er/{}.jpg", "deep/er", ""),
        ("{}", "images/{}.png", "images", ".png"),
        ("er/{}", "deep/er/{}.png", "deep", ".png"),
    ],
)
def test_a_table_names_images_by_path_by_name_or_by_stem(
    tmp_path: Path, paths: str, where: str, folder: str, suffix: str
) -> None:
    files = {where.format(f"p{n}"): b"" for n in range(4)} | {
        "all.csv": index(*[paths.format(f"p{n}") for n in range(4)])
    }
    found = look(tmp_path, files)
    assert csv_index(found) == CsvIndexFormat(
        kind="csv_index",
        tables={"train": "all.csv"},
        path_column="file",
        label_column="label",
        folder=folder,
        suffix=suffix,
    )
    assert found.notes == []


def test_a_table_may_name_a_tree_that_is_there_twice(tmp_path: Path) -> None:
    files = images("all", count=4)
    copies = {f"x/{name}": data for name, data in files.items()}
    assert csv_index(look(tmp_path, files | copies | {"t.csv": index(*copies)})).folder == "."


def test_a_tables_images_may_lie_in_an_archive_inside(tmp_path: Path) -> None:
    files = {"images.zip": zipped(images("images", count=4)), "all.csv": index("0", "1", "2", "3")}
    assert csv_index(look(tmp_path, files)).folder == "images.zip/images"


def test_of_two_folders_with_the_same_names_the_one_of_the_tables_part_is_taken(tmp_path: Path) -> None:
    files = images("test_images", "train_images", count=4) | {
        "train.csv": index("0", "1", "2", "3"),
        "test.csv": table("file", "0", "1", "2", "3"),
        "sample_submission.csv": index("0", "1", "2", "3"),
    }
    found = csv_index(look(tmp_path, files))
    assert found.tables == {"train": "train.csv", "unlabelled": "test.csv"}
    assert found.folder == {"train": "train_images", "unlabelled": "test_images"}


def test_tables_are_parts_by_name_and_one_of_test_without_labels_is_unlabelled(tmp_path: Path) -> None:
    files = images("all", count=12) | {
        "train.csv": index("0", "1", "2", "3"),
        "val.csv": index("4", "5", "6", "7"),
        "test.csv": table("file", "8", "9", "10", "11"),
    }
    assert csv_index(look(tmp_path, files)).tables == {
        "train": "train.csv",
        "validation": "val.csv",
        "unlabelled": "test.csv",
    }


@pytest.mark.parametrize(
    ("header", "rows", "label", "notes"),
    [
        ("file,sex,dx", ["m,nv", "f,nv", "m,mel", "f,mel"], "dx", 0),
        ("file,sex,TheClass,label_id", ["m,x,1", "f,x,1", "m,y,2", "f,y,2"], "label_id", 0),
        ("file,split,form", ["train,x", "train,x", "test,y", "test,y"], "form", 2),
        ("file,sex,form", ["m,1", "m,2", "f,1", "f,2"], "form", 1),
        ("file,class,species", ["x,1", "x,1", "y,2", "y,2"], "class", 0),
    ],
)
def test_the_label_is_the_column_that_is_named_so_or_the_only_one_that_can_be(
    tmp_path: Path, header: str, rows: list[str], label: str, notes: int
) -> None:
    files = images("all", count=4) | {"all.csv": table(header, *(f"{n}.jpg,{row}" for n, row in enumerate(rows)))}
    found = look(tmp_path, files)
    assert csv_index(found).label_column == label
    assert len(found.notes) == notes


@pytest.mark.parametrize("missing", [1, 2])
def test_a_table_may_miss_a_tenth_of_its_images(tmp_path: Path, missing: int) -> None:
    files = images("all", count=10 - missing) | {"t.csv": index(*map(str, range(10)), labels=("a", "b") * 5)}
    if missing == 1:
        assert csv_index(look(tmp_path, files)).folder == "all"
    else:
        with pytest.raises(
            PodiumError, match=r"2 of the 10 rows of 't\.csv' name images that the archive does not have"
        ):
            look(tmp_path, files)


def test_a_table_with_several_rows_an_image_is_none_of_images(tmp_path: Path) -> None:
    files = images("all", count=2) | {"boxes.csv": index("0", "0", "1", "1")}
    with pytest.raises(PodiumError, match=r"'boxes\.csv' has 4 rows for 2 images"):
        look(tmp_path, files)


def test_images_that_no_table_names_are_told(tmp_path: Path) -> None:
    table_of_most = index(*map(str, range(20)), labels=("a", "b") * 10)
    found = look(tmp_path, images("all", count=21) | images("test", count=5, name="t{}.jpg") | {"t.csv": table_of_most})
    assert csv_index(found).tables == {"train": "t.csv"}
    assert found.notes == ["6 images are named in no table; they are left aside."]


def test_a_table_that_names_few_of_the_images_is_not_taken_unasked(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"the tables name 4 images, and not 5 others such as 'all/4\.jpg'"):
        look(tmp_path, images("all", count=9) | {"train.csv": index("0", "1", "2", "3")})


def test_a_sample_of_a_submission_is_no_table_of_labels(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match="in no way"):
        look(tmp_path, images("test", count=4) | {"sampleSubmission.csv": index("0", "1", "2", "3")})


def test_a_broken_table_is_passed_over(tmp_path: Path) -> None:
    files = images("cat", "dog") | {"x.csv": b'file,label\n"' + b"x" * 200_000}
    assert image_folder(look(tmp_path, files)) == {"train": "."}


def test_a_table_with_labels_goes_before_class_folders_but_one_without_their_name_does_not(tmp_path: Path) -> None:
    files = images("x/train/cat", "x/train/dog", count=2)
    paths = [*files]
    sure = look(tmp_path, files | {"t.csv": index(*paths, labels=("a", "b") * 2)})
    assert csv_index(sure).label_column == "label"
    (tmp_path / "other").mkdir()
    unsure = look(tmp_path / "other", files | {"t.csv": index(*paths, header="file,width")})
    assert image_folder(unsure) == {"train": "x/train"}


def test_a_tables_images_may_lie_in_several_folders(tmp_path: Path) -> None:
    files = {f"part_{1 + n % 2}/p{n}.jpg": b"" for n in range(8)}
    rows = index(*(f"p{n}" for n in range(8)), labels=("a", "a", "b", "b") * 2)
    assert csv_index(look(tmp_path, files | {"t.csv": rows})).folder == ["part_1", "part_2"]


def test_a_table_of_names_beside_class_folders_that_say_the_same_is_left_aside(tmp_path: Path) -> None:
    files = {f"{'cat' if n < 4 else 'dog'}/p{n}.jpg": b"" for n in range(8)}
    rows = index(*(f"p{n}" for n in range(8)), labels=("0",) * 4 + ("1",) * 4)
    assert image_folder(look(tmp_path, files | {"t.csv": rows})) == {"train": "."}


# digitStruct.mat ----------------------------------------------------------------------------------------


def test_digit_struct_is_told_by_its_file_beside_images(tmp_path: Path) -> None:
    files = images("test", "x/train", "extra") | {
        f"{f}/digitStruct.mat": b"" for f in ("test", "x/train", "extra", "no")
    }
    found = look(tmp_path, files)
    assert found.format == DigitStructFormat(
        kind="digit_struct",
        folders={"train": "x/train", "test": "test"},
        annotations={"train": "x/train/digitStruct.mat", "test": "test/digitStruct.mat"},
        digits="one",
    )
    assert found.notes == [
        "'extra' has a digitStruct.mat, too, and is left aside.",
    ]


def test_one_digit_struct_is_train_wherever_it_lies(tmp_path: Path) -> None:
    found = look(tmp_path, images(".") | {"digitStruct.mat": b""}).format
    assert isinstance(found, DigitStructFormat)
    assert (found.folders, found.annotations) == ({"train": "."}, {"train": "digitStruct.mat"})
