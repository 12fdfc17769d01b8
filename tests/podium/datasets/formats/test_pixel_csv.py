from pathlib import Path

import numpy as np
import pytest

from podium.config.datasets import PixelCsvFormat
from podium.datasets.formats import Example, read
from podium.datasets.formats.pixel_csv import read as pixel_csv
from podium.errors import PodiumError
from tests.makers import LAYOUT, SIDE, make_archive, make_rows, make_table

GOOD = make_rows(40)
COLUMNS = make_table([]).strip().split(",")


def read_text(tmp_path: Path, text: str | bytes) -> list[Example]:
    return [*read(make_archive(tmp_path / "raw", train=text), LAYOUT)]


def facts(examples: list[Example]) -> list[tuple[object, ...]]:
    return [(e.id, e.part, e.label, None if e.image is None else e.image.tolist(), e.fault) for e in examples]


def changed(row: int, cells: list[str]) -> list[list[str]]:
    return [*GOOD[:row], cells, *GOOD[row + 1 :]]


def test_a_row_is_an_image_named_by_its_line(tmp_path: Path) -> None:
    rows = [["7", *map(str, range(16))], ["12", *map(str, range(240, 256))]]
    first, second = read_text(tmp_path, make_table(rows))
    assert (first.id, first.part, first.label, first.fault) == ("train.csv:2", "train", "7", "")
    assert (second.id, second.label) == ("train.csv:3", "12")
    assert (first.image.shape, first.image.dtype) == ((SIDE, SIDE, 1), np.uint8)
    np.testing.assert_array_equal(first.image[..., 0], np.arange(16).reshape(4, 4))
    assert second.image[3, 3, 0] == 255


def test_the_tables_of_all_parts_are_read_in_the_order_of_the_page(tmp_path: Path) -> None:
    raw = make_archive(tmp_path / "raw", b=make_table(GOOD[:2]), a=make_table(GOOD[2:5]))
    layout = PixelCsvFormat(kind="pixel_csv", files={"train": "b.csv", "test": "a.csv"}, label_column="label")
    assert [(e.part, e.id) for e in read(raw, layout)] == [
        *[("train", "b.csv:2"), ("train", "b.csv:3")],
        *[("test", "a.csv:2"), ("test", "a.csv:3"), ("test", "a.csv:4")],
    ]


def quote_all(text: str) -> str:
    return "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()) + "\n"


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        quote_all,
        str.rstrip,
        pytest.param(
            lambda text: text.replace(",pixel", ", pixel"),
        ),
    ],
    ids=["CRLF", "BOM", "quoted", "no newline at the end", "spaces in the header"],
)
@pytest.mark.parametrize("careful", [False, True])
def test_the_same_table_in_another_dress_gives_the_same_examples(tmp_path: Path, dress, careful: bool) -> None:
    rows = changed(39, ["1", *["x"] * 16]) if careful else GOOD
    plain = facts(read_text(tmp_path / "plain", make_table(rows)))
    assert facts(read_text(tmp_path / "dressed", dress(make_table(rows)).encode())) == plain
    assert len(plain) == 40


def test_the_label_may_stand_anywhere(tmp_path: Path) -> None:
    rows = [[*cells[1:], cells[0]] for cells in changed(30, ["1", *["x"] * 16])]
    examples = read_text(tmp_path, make_table(rows, [*COLUMNS[1:], "label"]))
    assert facts(examples) == facts(read_text(tmp_path, make_table(changed(30, ["1", *["x"] * 16]))))


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["1", *["7"] * 4, "abc", *["7"] * 11], "pixel5 is 'abc', expected a whole number of 0-255"),
        (["1", *["7"] * 15, "NaN"], "pixel16 is 'NaN', expected"),
        (["1", "", *["7"] * 15], "pixel1 is '', expected"),
        (["1", "256", *["7"] * 15], "pixel1 is '256', expected"),
        (["1", "-1", *["7"] * 15], "pixel1 is '-1', expected"),
        (["1", "1.0", *["7"] * 15], "pixel1 is '1.0', expected"),
        (["1", "١", *["7"] * 15], "pixel1 is '١', expected"),
        (["1", *["7"] * 15], "16 cells where 17 were expected"),
        (["1", *["7"] * 17], "18 cells where 17 were expected"),
        (COLUMNS, "pixel1 is 'pixel1', expected"),
        pytest.param(
            *(["1", "9" * 5000, *["7"] * 15], "expected a whole number"),
        ),
    ],
    ids=["text", "NaN", "empty", "256", "negative", "decimal", "arabic", "short", "long", "header", "digits"],
)
@pytest.mark.parametrize("row", [0, 1, 33, 39])
@pytest.mark.parametrize("block", [300, 1 << 22])
def test_a_bad_row_carries_its_fault_and_its_line_and_the_others_are_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: list[str], fault: str, row: int, block: int
) -> None:
    monkeypatch.setattr(pixel_csv, "BLOCK_BYTES", block)  # 300 bytes: five rows
    examples = read_text(tmp_path, make_table(changed(row, cells)))
    bad = examples.pop(row)
    assert bad.id == f"train.csv:{row + 2}"
    assert bad.image is None
    assert fault in bad.fault
    good = facts(read_text(tmp_path, make_table(GOOD)))
    del good[row]
    assert facts(examples) == good


@pytest.mark.parametrize("cell", [" 1", "0x1"])
def test_a_cell_means_the_same_whether_another_row_is_bad_or_not(tmp_path: Path, cell: str) -> None:
    rows = changed(1, ["1", cell, *["7"] * 15])
    alone = facts(read_text(tmp_path, make_table(rows)))[1]
    rows[0] = ["1", *["x"] * 16]
    assert facts(read_text(tmp_path, make_table(rows)))[1] == alone


def test_a_quote_that_is_never_closed_is_a_fault_of_its_row(tmp_path: Path) -> None:
    rows = [*GOOD[:3], ["1", '"7', *["7"] * 15], *make_rows(4000)]
    examples = read_text(tmp_path, make_table(rows))
    assert next(example.id for example in examples if example.fault) == "train.csv:5"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (make_table([r[1:] for r in GOOD], COLUMNS[1:]), "no column 'label'; its first columns are pixel1, pixel2"),
        (make_table(GOOD, ["label", "pixel1", *COLUMNS[1:-1]]), "two columns named 'pixel1'"),
        (make_table([], [*COLUMNS[:5], *COLUMNS[6:]]), "15 pixel columns, which make no square.*Number 5 is missing"),
        (make_table([], ["label"]), "0 pixel columns"),
        (make_table([]), r"train\.csv has a header and no rows"),
        (make_table([]).strip(), r"train\.csv has a header and no rows"),
        ("", "has no column 'label'"),
        (make_table(GOOD).replace(",", ";"), "has no column 'label'"),
    ],
    ids=["no label", "duplicate", "missing", "label only", "header", "header, no newline", "empty", "semicolons"],
)
def test_a_table_that_is_laid_out_otherwise_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        read_text(tmp_path, text)


def test_a_table_that_the_archive_lacks_is_answered_with_the_nearest(tmp_path: Path) -> None:
    raw = make_archive(tmp_path / "raw", trian=make_table(GOOD))
    with pytest.raises(PodiumError, match=r"no file 'train\.csv'\. Did you mean 'trian\.csv'"):
        next(read(raw, LAYOUT))


def test_who_stops_reading_early_leaves_nothing_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixel_csv, "BLOCK_BYTES", 300)
    examples = read(make_archive(tmp_path, train=make_table(GOOD)), LAYOUT)
    assert next(examples).id == "train.csv:2"
    examples.close()


# other dress than one comma-separated header and one column a pixel ---------------------------------------


def layout_of(**keys: object) -> PixelCsvFormat:
    return PixelCsvFormat(kind="pixel_csv", files={"train": "train.csv"}, **({"label_column": "label"} | keys))


def read_as(tmp_path: Path, text: str, **keys: object) -> list[Example]:
    return [*read(make_archive(tmp_path / "raw", train=text), layout_of(**keys))]


@pytest.mark.parametrize("row", [None, 0, 39])
def test_a_table_without_a_header_is_named_by_its_lines_too(tmp_path: Path, row: int | None) -> None:
    rows = GOOD if row is None else changed(row, ["1", *["x"] * 16])
    text = make_table(rows).partition("\n")[2]
    examples = read_as(tmp_path, text, label_column=1, header=False)
    assert [example.id for example in examples] == [f"train.csv:{line}" for line in range(1, 41)]
    assert [n for n, example in enumerate(examples) if example.fault] == ([] if row is None else [row])
    expected = facts(read_text(tmp_path / "plain", make_table(rows)))
    assert [fact[1:4] for fact in facts(examples)] == [fact[1:4] for fact in expected]
    if row is not None:
        assert examples[row].fault == "2 is 'x', expected a whole number of 0-255"


CELLS = [[cells[0], " ".join(cells[1:]), "Training" if n % 4 else "PrivateTest"] for n, cells in enumerate(GOOD)]
IN_CELLS = {
    "pixels_column": "pixels",
    "height": SIDE,
    "width": SIDE,
    "split_column": "Usage",
    "split_words": {"Training": "train", "PrivateTest": "test"},
}


def cells_with(row: int, cells: list[str]) -> str:
    return make_table([*CELLS[:row], cells, *CELLS[row + 1 :]], ["label", "pixels", "Usage"])


@pytest.mark.parametrize("dress", [str, lambda text: text.replace(",", " , ").replace(" 1", "  1"), quote_all])
def test_pixels_in_one_cell_are_the_same_as_in_columns(tmp_path: Path, dress) -> None:
    examples = read_as(tmp_path, dress(cells_with(0, CELLS[0])), **IN_CELLS)
    plain = read_text(tmp_path / "plain", make_table(GOOD))
    assert [(e.id, e.label, e.image.tolist()) for e in examples] == [(e.id, e.label, e.image.tolist()) for e in plain]
    assert [e.part for e in examples] == ["train" if n % 4 else "test" for n in range(40)]


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["1", "7 " * 15, "Training"], "pixels: 15 pixels where 16 were expected"),
        (["1", "7 " * 15 + "256", "Training"], "pixels: a pixel is '256', expected a whole number of 0-255"),
        (["1", "7 " * 15 + "x", "Training"], "pixels: a pixel is 'x'"),
        (["1", "", "Training"], "pixels: 1 pixels where 16 were expected"),
        (["1", "7 " * 16, "Other"], "Usage is 'Other', which split_words does not name"),
        (["1", "7 " * 16, ""], "Usage is ''"),
        (["1", "7 " * 16], "2 cells where 3 were expected"),
    ],
    ids=["15", "256", "text", "empty", "word", "no word", "short"],
)
@pytest.mark.parametrize("row", [0, 39])
def test_a_bad_cell_is_a_fault_of_its_row(tmp_path: Path, cells: list[str], fault: str, row: int) -> None:
    examples = read_as(tmp_path, cells_with(row, cells), **IN_CELLS)
    bad = examples.pop(row)
    assert (bad.id, bad.image) == (f"train.csv:{row + 2}", None)
    assert bad.fault.startswith(fault)
    assert len(examples) == 39
    assert not [example.fault for example in examples if example.fault]


def test_colours_are_put_together_in_either_order(tmp_path: Path) -> None:
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    names = ["label", *(f"p{number}" for number in range(48))]
    for order, pixels in (("interleaved", image), ("planar", image.transpose(2, 0, 1))):
        text = make_table([["1", *map(str, pixels.ravel())]], names)
        (example,) = read_as(tmp_path / order, text, channels=3, order=order)
        np.testing.assert_array_equal(example.image, image)
        assert example.image.flags.c_contiguous


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["0.5"] * 16, "train.csv:2 says that pixel1 is '0.5'.*100 of the first 100 rows.*seem to be fractions"),
        (["-3"] * 16, "pixel1 is '-3'.*correct format in params.yaml"),
    ],
)
def test_a_table_of_bad_rows_is_one_message(tmp_path: Path, cells: list[str], words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        read_text(tmp_path, make_table([["1", *cells]] * 200))


def test_columns_that_are_left_aside_may_hold_anything_and_may_be_missing_without_labels(tmp_path: Path) -> None:
    header = ["id", "label", *COLUMNS[1:]]
    train = make_table([[f"a{n}", *cells] for n, cells in enumerate(GOOD)], header)
    raw = make_archive(tmp_path / "raw", train=train, test=make_table([cells[1:] for cells in GOOD], COLUMNS[1:]))
    layout = PixelCsvFormat(
        kind="pixel_csv",
        files={"train": "train.csv", "unlabelled": "test.csv"},
        label_column="label",
        other_columns=["id"],
    )
    examples = [*read(raw, layout)]
    assert [example.image.tolist() for example in examples[:40]] == [e.image.tolist() for e in examples[40:]]
    assert {(example.part, example.label) for example in examples[40:]} == {("unlabelled", "")}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"label_column": 1}, "columns of tables with a header are given by name"),
        ({"header": False}, "columns of tables without a header are given by their place"),
        ({"pixels_column": "pixels"}, "pixels_column needs the images' height and width"),
        ({"height": 3}, "height and width go together"),
        ({"channels": 3}, "channels and order go together"),
        ({"split_column": "Usage"}, "split_column and split_words go together"),
        ({"split_words": {"a": "train"}}, "split_column and split_words go together"),
        ({"other_columns": ["label"]}, "one column is named twice"),
    ],
)
def test_keys_that_belong_together_are_required(keys: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        layout_of(**keys)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"split_column": "Usage", "split_words": {"a": "train"}}, "no column 'Usage'.*format.split_column"),
        ({"pixels_column": "pixels", "height": 4, "width": 4}, "no column 'pixels'.*format.pixels_column"),
        ({"height": 4, "width": 5}, "16 pixel columns; expected 20: 4 × 5 pixels. Correct"),
        ({"channels": 3, "order": "planar"}, "16 pixel columns, which make no square image of 3 channels"),
        ({"label_column": 99, "header": False}, "no column '99'; its first columns are 1, 2, 3"),
    ],
)
def test_a_page_that_does_not_fit_the_table_is_refused(tmp_path: Path, keys: dict[str, object], words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        read_as(tmp_path, make_table(GOOD), **keys)


def test_a_table_whose_first_line_is_an_image_says_so(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match="If its first line is an image already, write header: false"):
        read_as(tmp_path, make_table(GOOD).partition("\n")[2])
