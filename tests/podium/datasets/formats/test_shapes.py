"""Shapes of archives that are easily read wrong: each is read right, or refused with its cause."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from podium.config.datasets import CsvIndexFormat, ImageFolderFormat
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.detect import Survey, survey
from podium.errors import PodiumError

Files = dict[str, bytes]
DRAW = np.random.default_rng(0)


def png() -> bytes:
    content = io.BytesIO()
    Image.fromarray(DRAW.integers(0, 255, (12, 12, 3), dtype=np.uint8)).save(content, "PNG")
    return content.getvalue()


def images(*folders: str, count: int = 6, name: str = "{}.png") -> Files:
    return {f"{folder}/{name.format(number)}": png() for folder in folders for number in range(count)}


def table(header: str, row: Callable[[int], tuple[object, ...]], count: int = 20) -> bytes:
    return "\n".join([header, *(",".join(map(str, row(number))) for number in range(count))]).encode()


def parquet(**columns: list[object]) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    return content.getvalue()


def look(folder: Path, files: Files) -> Survey:
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    with Archive(folder) as opened:
        return survey(opened)


PARTED = [*(f"train_images/a{n}.png" for n in range(12)), *(f"test_images/b{n}.png" for n in range(8))]
FLAT = images("all", count=20)


@pytest.mark.parametrize(
    ("files", "folders"),
    [
        (
            images(
                "seg_train/seg_train/sea", "seg_train/seg_train/ice", "seg_test/seg_test/sea", "seg_test/seg_test/ice"
            )
            | images("seg_pred/seg_pred", count=9),
            {"train": "seg_train/seg_train", "test": "seg_test/seg_test", "unlabelled": "seg_pred/seg_pred"},
        ),
        (images("101/BACKGROUND_Google", "101/accordion", "101/airplanes", name="image_000{}.jpg"), {"train": "101"}),
        (
            {
                f"{label}/{what}/{label}-{n}.png": png()
                for label in "ab"
                for what in ("images", "masks")
                for n in range(6)
            },
            {"train": "."},
        ),
        (images(*(f"s{number}" for number in range(7)), name="{}.pgm"), {"train": "."}),
        (images("with_mask", name="w_{}.jpg") | images("without_mask", name="o_{}.jpg"), {"train": "."}),
        (images("pics/a", "pics/b", name="{}"), {"train": "pics"}),
        (images("fold_1/a", "fold_1/b", "fold_2/a", "fold_2/b"), {"train": ["fold_1", "fold_2"]}),
    ],
    ids=["predictions", "numbered alike", "masks in classes", "numbers", "masks as classes", "no endings", "folds"],
)
def test_class_folders_are_found(tmp_path: Path, files: Files, folders: object) -> None:
    found = look(tmp_path, files).format
    assert isinstance(found, ImageFolderFormat)
    assert found.folders == folders


@pytest.mark.parametrize(
    ("files", "keys"),
    [
        (
            FLAT | {"t.csv": table("image_id,target,kfold", lambda n: (n, n % 3, n % 5))},
            {"label_column": "target", "suffix": ".png"},
        ),
        (
            FLAT | {"t.csv": table("file,cat,dog", lambda n: (f"{n}.png", 0.9 - n % 2 / 2, 0.1 + n % 2 / 2))},
            {"label_column": ["cat", "dog"]},
        ),
        (
            FLAT | {"t.csv": table("url,class", lambda n: (f"https://x.org/{n}.png", "ab"[n % 2]))},
            {"label_column": "class", "match": "name"},
        ),
        (
            images("train_images", count=12, name="a{}.png")
            | images("test_images", count=8, name="b{}.png")
            | {
                "t.csv": table(
                    "path,label",
                    lambda n: (f"train_images/a{n}.png" if n < 12 else f"test_images/b{n - 12}.png", "xy"[n % 2]),
                )
            },
            {"split_words": {"train_images": "train", "test_images": "test"}},
        ),
        (
            {f'all/a, "{n}".png': png() for n in range(8)}
            | {"t.csv": "\n".join(["file,label", *(f'"a, ""{n}"".png","x, y{n % 2}"' for n in range(8))]).encode()},
            {"label_column": "label", "folder": "all"},
        ),
        (
            FLAT | {"t.parquet": parquet(file=[f"{n}.png" for n in range(20)], label=[n % 2 for n in range(20)])},
            {"label_column": "label", "folder": "all"},
        ),
    ],
    ids=["folds in a column", "shares", "addresses", "parts by folder", "quotes and commas", "Parquet"],
)
def test_tables_are_understood(tmp_path: Path, files: Files, keys: dict[str, object]) -> None:
    found = look(tmp_path, files).format
    assert isinstance(found, CsvIndexFormat)
    assert {key: getattr(found, key) for key in keys} == keys
    examples = [*read(tmp_path, found)]
    assert [example.fault for example in examples if example.fault] == []
    assert len({example.label for example in examples}) > 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            FLAT | {"t.csv": table("file,Finding", lambda n: (f"{n}.png", ["A", "B", "A|B"][n % 3]))},
            "6 of 20 cells of the column 'Finding' of 't.csv' hold several labels, such as 'A|B'",
        ),
        (
            FLAT | {"t.csv": table("file,Male,Smiling", lambda n: (f"{n}.png", n % 2 * 2 - 1, n % 3 // 2 * 2 - 1))},
            "several columns that may be the labels: 'Male', 'Smiling'",
        ),
        (
            FLAT | {"t.csv": table("image_id,partition", lambda n: (f"{n}.png", n % 3))},
            "names images, and none of its columns can be the labels",
        ),
        (
            FLAT | {"t.csv": table("Id,score", lambda n: (n, n * 37 % 100))},
            "none of its columns can be the labels: of 20 rows, 'score' has 20 different values",
        ),
        (
            FLAT | {"t.csv": table("file,gender", lambda n: (f"{n}.png", "mf"[n % 2]))},
            "'gender' of 't.csv' may tell of an image what is no class",
        ),
        (
            FLAT
            | {"t.csv": table("file,masterCategory,subCategory", lambda n: (f"{n}.png", "ab"[n % 2], "cde"[n % 3]))},
            "several columns that may be the labels: 'masterCategory', 'subCategory'",
        ),
        (
            images("all", count=10)
            | {"t.csv": table("filename,class,xmin", lambda n: (f"{n // 2}.png", "ab"[n % 2], 0))},
            "20 rows for 10 images.*are they boxes",
        ),
        (
            {"t.csv": table("file,label", lambda n: (f"{n}.jpg", "ab"[n % 2]))},
            "names images such as '0.jpg', and the archive has none",
        ),
        ({f"x/{label}/{n}.dcm": b"\0" * 128 + b"DICM" for label in "ab" for n in range(4)}, "is DICOM, like 8 files"),
        (
            {
                f"{case}/{label}/{case}_{n}.png": png()
                for case in (10253, 10254, 10255)
                for label in (0, 1)
                for n in range(4)
            },
            "'10253' and '10254' have the same folders in them",
        ),
        (images(*("ABCDEFGHIJK"), count=1) | images("Z", count=5), "most of the 12 folders hold a single image"),
        (images("2021-05-01", "2021-05-02", "2021-05-03", "2021-05-04"), "look like numbers or dates of single cases"),
        (
            images("cats/train/a", "cats/train/b", "cats/test/a", "cats/test/b") | images("roses/c", "roses/d"),
            "12 of 36 images lie in none of these parts",
        ),
        (
            images("original/cat", "original/dog") | images("augmented/cat", "augmented/dog"),
            "have the same folders in them",
        ),
        (images("train", count=12) | images("test/cat", "test/dog"), "12 of 24 images lie in none of these parts"),
        (
            images("dog/poodle", "dog/beagle", "cat/persian", "cat/siamese"),
            "the classes may be the first folders .* or the last",
        ),
        ({f"{n}_cat.png": png() for n in range(9)}, "laid out in no way that podium knows"),
    ],
    ids=[
        *(
            "several labels in a cell",
            "attributes",
            "a split and no labels",
            "values to predict",
            "sex",
            "two categories",
        ),
        *(
            "boxes",
            "no images",
            "DICOM",
            "patients",
            "faces",
            "dates",
            "two datasets",
            "copies",
            "classes in test alone",
        ),
        *("two levels", "names that end in the class"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_cause(tmp_path: Path, files: Files, words: str) -> None:
    with pytest.raises(PodiumError) as raised:
        look(tmp_path, files)
    said = str(raised.value)
    first, _, rest = words.partition(".*")
    assert first.strip() in said
    assert rest.strip() in said
