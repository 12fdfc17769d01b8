"""Tables of pixels in the shapes that Kaggle has them, and what is said of those that are no such tables."""

import io
import re
import tarfile
import zipfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from podium.config.datasets import PixelCsvFormat
from podium.datasets.archive import Archive
from podium.datasets.formats import Example, read
from podium.datasets.formats.pixel_csv.detect import find
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.reading import NAMES_SAY_SO, WRITTEN_DOWN, Reading

LETTERS = [*"abc"]
PIXELS = [f"pixel{number}" for number in range(64)]


def smooth(row: int, side: int = 8, channels: int = 1) -> np.ndarray:
    """An image whose neighbouring pixels are alike, as in a photograph; channels have levels of their own."""
    down, across = np.mgrid[:side, :side]
    levels = [40 * channel + 3 * row % 50 for channel in range(channels)]
    return np.stack([level + 5 * down + 4 * across * (row % 3) for level in levels], axis=2).astype(np.uint8)


def make(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    raw = folder / "dots"
    raw.mkdir()
    with zipfile.ZipFile(raw / "archive.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return raw


def look(folder: Path, files: Mapping[str, str | bytes]) -> list[Reading]:
    with Archive(make(folder, files)) as archive:
        return find(Contents.of(archive, archive.files(), []))


def take(folder: Path, files: Mapping[str, str | bytes]) -> tuple[PixelCsvFormat, list[Example]]:
    """The page of the first reading, of which nothing may be doubtful, and its images."""
    first = look(folder, files)[0]
    assert first.doubts == []
    assert isinstance(first.format, PixelCsvFormat)
    examples = [*read(folder / "dots", first.format)]
    assert not [example.fault for example in examples if example.fault]
    return first.format, examples


def keys(layout: PixelCsvFormat) -> dict[str, Any]:
    """What a page says beside its kind and files."""
    return {key: value for key, value in vars(layout).items() if value is not None and key not in ("kind", "files")}


def text(header: list[str] | None, rows: list[list[Any]], separator: str = ",") -> str:
    return "".join(separator.join(map(str, cells)) + "\n" for cells in ([header] if header else []) + rows)


def flat(count: int = 30, **options: Any) -> list[list[int]]:
    return [smooth(row, **options).ravel().tolist() for row in range(count)]


def labelled(rows: list[list[int]], classes: int = 5) -> list[list[Any]]:
    return [[row % classes, *cells] for row, cells in enumerate(rows)]


@pytest.mark.parametrize(
    ("header", "rows", "expected"),
    [
        (["label", *PIXELS], labelled(flat()), {"label_column": "label"}),
        (
            ["label", *(f"{r}x{c}" for r, c in product(range(1, 9), repeat=2))],
            labelled(flat()),
            {"label_column": "label"},
        ),
        (["character", *PIXELS], labelled(flat()), {"label_column": "character"}),
        (
            ["", "label", *PIXELS],
            [[n, *row] for n, row in enumerate(labelled(flat()))],
            {"label_column": "label", "other_columns": [""]},
        ),
        (
            ["Unnamed: 0", *PIXELS, "class"],
            [[n, *row[1:], row[0]] for n, row in enumerate(labelled(flat()))],
            {"label_column": "class", "other_columns": ["Unnamed: 0"]},
        ),
        (
            ["label", "writer", "source", *PIXELS],
            [[row[0], n % 7, "scan", *row[1:]] for n, row in enumerate(labelled(flat()))],
            {"label_column": "label", "other_columns": ["writer", "source"]},
        ),
        (None, labelled(flat()), {"label_column": 1, "header": False}),
        (None, [[*row[1:], row[0]] for row in labelled(flat())], {"label_column": 65, "header": False}),
        (None, [[LETTERS[row[0] % 3], *row[1:]] for row in labelled(flat())], {"label_column": 1, "header": False}),
        (
            None,
            [[n, *row] for n, row in enumerate(labelled(flat()))],
            {"label_column": 2, "header": False, "other_columns": [1]},
        ),
        ([*map(str, range(65))], labelled(flat()), {"label_column": "0"}),
        (["label", *map(str, range(64))], labelled(flat()), {"label_column": "label"}),
        (["0", *(f"0.{number}" for number in range(1, 65))], labelled(flat()), {"label_column": "0"}),
        (
            ["label", *(f"{colour}{n}" for colour in "rgb" for n in range(64))],
            labelled([smooth(n, channels=3).transpose(2, 0, 1).ravel().tolist() for n in range(30)]),
            {"label_column": "label", "channels": 3, "order": "planar"},
        ),
        (
            ["label", *(f"p_{r}_{c}_{k}" for r, c, k in product(range(8), range(8), range(3)))],
            labelled(flat(channels=3)),
            {"label_column": "label", "channels": 3, "order": "interleaved"},
        ),
        (
            ["label", *(f"r{r}c{c}" for r, c in product(range(4), range(16)))],
            labelled(flat()),
            {"label_column": "label", "height": 4, "width": 16},
        ),
        (
            [*(f"pixel{n:04}" for n in range(192)), "label"],
            [[*row[1:], row[0]] for row in labelled(flat(channels=3))],
            {"label_column": "label", "channels": 3, "order": "interleaved"},
        ),
        (
            ["label", *(f"pixel{n}" for n in range(192))],
            labelled([smooth(n, channels=3).transpose(2, 0, 1).ravel().tolist() for n in range(30)]),
            {"label_column": "label", "channels": 3, "order": "planar"},
        ),
    ],
    ids=[
        *("plain", "rows and columns", "another word", "index without a name", "drop-in index", "attributes"),
        *(
            "no header",
            "no header, label last",
            "no header, letters",
            "no header, index",
            "numbers",
            "numbers and label",
        ),
        *("mangled numbers", "colours", "three numbers", "not square", "interleaved", "planar"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_columns_are_told_by_their_names_and_values_and_the_images_are_whole(
    tmp_path: Path, header: list[str] | None, rows: list[list[Any]], expected: dict[str, Any], separator: str
) -> None:
    layout, examples = take(tmp_path, {"x.csv": text(header, rows, separator)})
    assert keys(layout) == expected | ({} if separator == "," else {"separator": separator})
    height, width = expected.get("height", 8), expected.get("width", 8)
    for row in (1, 29):
        image = smooth(row, channels=expected.get("channels", 1)).reshape(height, width, -1)
        np.testing.assert_array_equal(examples[row].image, image)
    letters = any("a" in cells for cells in rows)
    assert [example.label for example in examples] == [LETTERS[n % 5 % 3] if letters else str(n % 5) for n in range(30)]
    assert examples[0].id == f"x.csv:{1 + bool(header)}"


def test_pixel_columns_out_of_order_are_put_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    order = sorted(range(64), key=str)  # pixel0, pixel1, pixel10, pixel11, …
    rows = [[cells[0], *(cells[1 + place] for place in order)] for cells in labelled(flat())]
    _, examples = take(tmp_path, {"x.csv": text(["label", *(f"pixel{place}" for place in order)], rows)})
    np.testing.assert_array_equal(examples[4].image, smooth(4))


def test_labels_sorted_by_class_are_told_from_pixels_that_are_black_in_nearly_all_images(tmp_path: Path) -> None:
    dark = [[n // 100, 0, *cells[1:-1], 0] for n, cells in enumerate(flat(300))]
    dark[250][-1] = 3
    layout, _ = take(tmp_path, {"A_Z Handwritten Data.csv": text(None, dark)})
    assert keys(layout) == {"label_column": 1, "header": False}


# all pixels in one cell ---------------------------------------------------------------------------------


def in_cells(
    words: list[str] | None = None, names: tuple[str, ...] = ("emotion", "pixels", "Usage"), **options: Any
) -> str:
    lines = [",".join(names)]
    for row in range(30):
        pixels = " ".join(map(str, smooth(row, **options).ravel()))
        values = {"emotion": str(row % 5), "pixels": pixels, "usage": words[row * len(words) // 30] if words else ""}
        lines.append(",".join(values[name.strip().lower()] for name in names))
    return "\n".join(lines) + "\n"


KAGGLES = ["Training", "PublicTest", "PrivateTest"]


@pytest.mark.parametrize("names", [("emotion", "pixels", "Usage"), ("emotion", " Usage", " pixels")])
def test_pixels_in_one_cell_are_read_and_split_by_the_words_of_a_column(tmp_path: Path, names: tuple[str, ...]) -> None:
    layout, examples = take(tmp_path, {"fer/fer2013.csv": in_cells(KAGGLES, names)})
    assert keys(layout) == {
        "label_column": "emotion",
        "pixels_column": "pixels",
        "height": 8,
        "width": 8,
        "split_column": "Usage",
        "split_words": {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"},
    }
    assert [example.part for example in examples] == [*["train"] * 10, *["validation"] * 10, *["test"] * 10]
    assert [example.label for example in examples] == [str(row % 5) for row in range(30)]
    for row in (0, 29):
        np.testing.assert_array_equal(examples[row].image, smooth(row))


def test_words_that_stand_far_down_the_table_are_found(tmp_path: Path) -> None:
    lines = in_cells(["Training"]).splitlines()
    far = [*lines, *lines[1:] * 5, lines[1].replace("Training", "Validation")]
    layout, examples = take(tmp_path, {"x.csv": "\n".join(far)})
    assert layout.split_words == {"Training": "train", "Validation": "validation"}
    assert examples[-1].part == "validation"


def test_cells_of_three_channels_are_told(tmp_path: Path) -> None:
    layout, examples = take(tmp_path, {"x.csv": in_cells(names=("emotion", "pixels"), channels=3)})
    assert (layout.height, layout.channels, layout.order) == (8, 3, "interleaved")
    np.testing.assert_array_equal(examples[7].image, smooth(7, channels=3))


def test_a_cell_may_be_larger_than_the_csv_module_takes_by_itself(tmp_path: Path) -> None:
    rows = "".join(f"{row % 2},{' '.join(['200'] * 224**2)}\n" for row in range(3))
    layout, examples = take(tmp_path, {"x.csv": "label,pixels\n" + rows})
    assert (layout.height, len(examples)) == (224, 3)


# several tables -----------------------------------------------------------------------------------------


def test_a_test_table_without_labels_is_unlabelled_whatever_else_it_has(tmp_path: Path) -> None:
    bare = text(["id", *PIXELS], [[n, *cells] for n, cells in enumerate(flat(20))])
    files = {
        "train.csv": text(["label", *PIXELS], labelled(flat())),
        "test.csv": bare,
        "sample_submission.csv": "id,label\n0,0\n",
    }
    layout, examples = take(tmp_path, files)
    assert layout.files == {"train": "train.csv", "unlabelled": "test.csv"}
    assert layout.other_columns == ["id"]
    assert [(example.part, example.label) for example in examples[29:31]] == [("train", "4"), ("unlabelled", "")]


def test_a_table_that_no_part_is_named_for_is_left_aside_and_told(tmp_path: Path) -> None:
    one = text(["label", *PIXELS], labelled(flat()))
    (reading,) = look(tmp_path, {"train.csv": one, "Dig-MNIST.csv": one + one.splitlines()[1]})
    assert reading.format.files == {"train": "train.csv"}
    assert reading.notes == ["The table 'Dig-MNIST.csv' is left aside."]
    assert [*reading.aside] == ["Dig-MNIST.csv"]


def test_tables_of_several_datasets_make_a_reading_each_and_none_is_sure(tmp_path: Path) -> None:
    sizes = {"balanced-train": 25, "balanced-test": 20, "letters-train": 35, "letters-test": 22}
    found = look(tmp_path, {f"emnist-{name}.csv": text(None, labelled(flat(count))) for name, count in sizes.items()})
    assert [reading.format.files for reading in found] == [
        {"train": f"emnist-{name}-train.csv", "test": f"emnist-{name}-test.csv"} for name in ("letters", "balanced")
    ]
    assert all("would do as well" in " ".join(reading.doubts) for reading in found)


def test_a_table_with_a_split_column_beside_a_train_table_is_a_rival(tmp_path: Path) -> None:
    found = look(
        tmp_path, {"train.csv": in_cells(names=("emotion", "pixels")), "icml_face_data.csv": in_cells(KAGGLES)}
    )
    assert len(found) == 2
    assert all(reading.doubts for reading in found)


def test_tables_beside_as_many_photographs_are_the_lesser_evidence(tmp_path: Path) -> None:
    table = {"hmnist_8_8_L.csv": text([*PIXELS, "label"], [[*row[1:], row[0]] for row in labelled(flat())])}
    (few,) = look(tmp_path, table | {"banner.jpg": b""})
    assert (few.strength, few.doubts) == (WRITTEN_DOWN, [])
    assert few.notes == ["Its 1 image files are left aside: the tables have the images."]
    (tmp_path / "other").mkdir()
    (many,) = look(tmp_path / "other", table | {f"images/{n}.jpg": b"" for n in range(30)})
    assert many.strength == NAMES_SAY_SO
    assert many.doubts == ["The archive also has 30 image files, which may be the same images, and larger."]


def test_idx_files_beside_tables_are_left_aside_with_a_reason(tmp_path: Path) -> None:
    files = {
        "train.csv": text(["label", *PIXELS], labelled(flat())),
        "t10k-images-idx3-ubyte": b"",
        "x/y.idx1-ubyte.gz": b"",
    }
    (reading,) = look(tmp_path, files)
    assert {*reading.aside} == {"t10k-images-idx3-ubyte", "x/y.idx1-ubyte.gz"}
    assert reading.doubts == []


# what is not clear, and what cannot be read -------------------------------------------------------------


def test_each_column_that_may_be_the_label_is_a_reading_with_a_doubt(tmp_path: Path) -> None:
    rows = [f"{20 + n % 9},{n % 5},{n % 2},{n}.jpg,{' '.join(map(str, smooth(n).ravel()))}" for n in range(40)]
    found = look(tmp_path, {"age_gender.csv": "\n".join(["age,ethnicity,gender,img_name,pixels", *rows])})
    assert [reading.format.label_column for reading in found] == ["age", "ethnicity", "gender"]
    assert found[2].doubts == ["The label is the column 'gender'; it could also be 'age', 'ethnicity'."]
    assert found[2].format.other_columns == ["img_name", "age", "ethnicity"]


def test_channels_whose_order_does_not_show_are_doubted(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (30, 192)).tolist()
    (reading,) = look(tmp_path, {"x.csv": text(["label", *(f"p{n}" for n in range(192))], labelled(noise))})
    assert "interleaved or planar does not show" in reading.doubts[0]


def test_a_test_table_of_noise_has_the_order_of_the_train_table(tmp_path: Path) -> None:
    header = ["label", *(f"p{n}" for n in range(192))]
    planar = labelled([smooth(n, channels=3).transpose(2, 0, 1).ravel().tolist() for n in range(30)])
    noise = labelled(np.random.default_rng(0).integers(0, 256, (20, 192)).tolist())
    layout, _ = take(tmp_path, {"test.csv": text(header, noise), "train.csv": text(header, planar)})
    assert (layout.order, [*layout.files]) == ("planar", ["train", "test"])


def fractions(rows: list[list[int]]) -> list[list[Any]]:
    return [[row[0], *(round(value / 255, 3) for value in row[1:])] for row in rows]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (text(["label", *PIXELS], fractions(labelled(flat()))), "'pixel0' is '0.0' in line 2.*fractions"),
        (
            text(["label", *PIXELS], [[row[0], *(v - 200 for v in row[1:])] for row in labelled(flat())]),
            "'pixel0' is '-",
        ),
        (
            text(["label", *PIXELS], [[row[0], *(v + 900 for v in row[1:])] for row in labelled(flat())]),
            "is '900' in line 2",
        ),
        (
            text(
                ["cat", "dog", "cow", *PIXELS], [[*np.eye(3, dtype=int)[n % 3], *row] for n, row in enumerate(flat())]
            ),
            "spread over 3 columns of 0 and 1: 'cat', 'dog', 'cow'",
        ),
        (text(PIXELS, flat()), "no column with a label"),
        (
            text(["label", *(f"pixel{n}" for n in range(70))], labelled([row + row[:6] for row in flat()])),
            "70 columns of pixels, which make no square",
        ),
        ("label,pixels\n" + "".join(f"1,{' '.join(['0.5'] * 64)}\n" for _ in range(30)), "a pixel is '0.5'"),
        (
            "label,pixels\n" + "".join(f"1,{' '.join(['5'] * 65)}\n" for _ in range(30)),
            "of 65 pixels, which make no square",
        ),
        (
            "label,left,right\n" + "".join(f"1,{' '.join(['5'] * 64)},{' '.join(['5'] * 64)}\n" for _ in range(30)),
            "Several of its columns hold images: 'left', 'right'",
        ),
    ],
    ids=["fractions", "negative", "large", "one-hot", "no label", "70", "fractions in cells", "65", "two images"],
)
def test_a_table_of_images_that_cannot_be_read_says_why(tmp_path: Path, table: str, words: str) -> None:
    (reading,) = look(tmp_path, {"x.csv": table})
    assert reading.format is None
    (doubt,) = reading.doubts
    assert "'x.csv' holds images, and cannot be read. " in doubt
    assert re.search(words, doubt)


def test_a_column_without_values_is_no_label(tmp_path: Path) -> None:
    layout, _ = take(tmp_path, {"x.csv": in_cells()})
    assert (layout.label_column, layout.other_columns) == ("emotion", ["Usage"])


@pytest.mark.parametrize("values", [[f"0.{n}" for n in range(30)], [f"name {n}" for n in range(30)]])
def test_labels_that_are_no_classes_are_doubted(tmp_path: Path, values: list[str]) -> None:
    rows = [[value, *cells] for value, cells in zip(values, flat(), strict=True)]
    (reading,) = look(tmp_path, {"x.csv": text(["label", *PIXELS], rows)})
    assert "expected classes" in reading.doubts[0]


@pytest.mark.parametrize(
    "table",
    [
        "",
        "\n",
        "id,label\n" + "".join(f"{n}.jpg,{n % 2}\n" for n in range(30)),
        text(["id", *(f"{kind}{n}" for kind in ("margin", "shape", "texture") for n in range(64))], flat(channels=3)),
        text(["label", *(f"f{n}" for n in range(20))], labelled([row[:20] for row in flat()])),
        "caption\n" + "a cat on a mat 5 6\n" * 30,
        "a" * (5 << 20),
        '"' + "1,2\n" * 50,
    ],
    ids=["empty", "blank", "index", "features", "few numbers", "text", "one line of 5 MiB", "open quote"],
)
def test_other_tables_are_not_taken_for_images(tmp_path: Path, table: str) -> None:
    assert look(tmp_path, {"x.csv": table}) == []


def test_a_large_table_is_looked_at_by_its_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_bytes = 0
    real = zipfile.ZipExtFile.readline

    def count(self: zipfile.ZipExtFile, limit: int = -1) -> bytes:
        nonlocal read_bytes
        line = real(self, limit)
        read_bytes += len(line)
        return line

    monkeypatch.setattr(zipfile.ZipExtFile, "readline", count)
    rows = text(["label", *PIXELS], labelled(flat()) * 1000)
    (reading,) = look(tmp_path, {"x.csv": rows})
    assert read_bytes < 100_000 < len(rows)
    assert 0.9 < reading.images / 30_000 < 1.1


def test_a_table_in_an_archive_inside_is_found(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        data = in_cells(KAGGLES).encode()
        info = tarfile.TarInfo("fer2013/fer2013.csv")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    with Archive(make(tmp_path, {"fer2013.tar.gz": content.getvalue()})) as archive:
        (reading,) = find(Contents.of(archive, archive.files(nested=True), []))
    assert reading.format.files == {"train": "fer2013.tar.gz/fer2013/fer2013.csv"}
