"""The account of an archive's files: every one is in it once, with a reason if it is not used."""

import io
import zipfile
from pathlib import Path

import pytest

from podium.config.datasets import CsvIndexFormat, Format, ImageFolderFormat, ImageParquetFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.image_files import list_files
from podium.datasets.inventory import Aside, Inventory, take_inventory
from podium.datasets.validation.inspection import _left_aside
from tests.makers import make_dataset, make_validation

FOLDERS = ImageFolderFormat(kind="image_folder", folders={"train": "set"}, exclude=["*_mask.*", "set/test/*"])
TABLE = CsvIndexFormat(
    kind="csv_index", tables={"train": "train.csv"}, path_column="f", label_column="l", folder=".", suffix=""
)
PARQUET = ImageParquetFormat(
    kind="image_parquet", files={"train": "data/train-*.parquet"}, image_column="image", label_column="label"
)


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return content.getvalue()


def take(folder: Path, layout: Format, ids: list[str], *names: str, **inside: bytes) -> Inventory:
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        for name in names:
            archive.writestr(name, name)
        for name, data in inside.items():
            archive.writestr(f"{name}.zip", data)
    with Archive(folder) as opened:
        account = take_inventory(opened, layout, ids)
        assert account.images + account.tables + account.left == len(list_files(opened, []))
    return account


def test_every_file_is_used_or_left_aside_with_its_reason_count_and_an_example(tmp_path: Path) -> None:
    used = ["set/a/1.png", "set/b/2.png"]
    names = ["set/a/1_mask.png", "set/test/3.png", "set/test/4.png", "set/a/Thumbs.db", "__MACOSX/set/._1.png"]
    account = take(tmp_path, FOLDERS, used, *used, *names, "other/5.png", "README.txt", "set/a/6.heic")
    assert (account.images, account.tables) == (2, 0)
    assert account.aside == [
        Aside("excluded images", 3, "set/a/1_mask.png"),
        Aside("leavings of systems and tools", 2, "set/a/Thumbs.db"),
        Aside("images that the format does not take", 1, "other/5.png"),
        Aside(".txt (text)", 1, "README.txt"),
        Aside(".heic (text)", 1, "set/a/6.heic"),
    ]


@pytest.mark.parametrize(
    ("layout", "ids", "names", "tables"),
    [
        (TABLE, ["1.png"], ["1.png", "train.csv", "other.csv"], 1),
        (PARQUET, [], ["data/train-0.parquet", "data/train-1.parquet", "data/test-0.parquet"], 2),
    ],
)
def test_tables_that_the_format_names_are_counted_as_such(
    tmp_path: Path, layout: Format, ids: list[str], names: list[str], tables: int
) -> None:
    account = take(tmp_path, layout, ids, *names)
    assert (account.images, account.tables, account.left) == (len(ids), tables, 1)


def test_a_text_beside_class_folders_is_no_table(tmp_path: Path) -> None:
    layout = ImageFolderFormat(kind="image_folder", folders={"train": "set"})
    account = take(tmp_path, layout, ["set/a/1.png"], "set/a/1.png", "set/readme.txt")
    assert (account.tables, account.left) == (0, 1)


def test_files_of_an_archive_inside_are_counted_in_its_place(tmp_path: Path) -> None:
    account = take(tmp_path, FOLDERS, ["set/a/1.png"], "set/a/1.png", more=zipped("x.png", "y.txt"))
    assert {each.example for each in account.aside} == {"more.zip/x.png", "more.zip/y.txt"}


def test_a_folder_beside_those_that_are_used_of_which_nothing_is_used_is_named(tmp_path: Path) -> None:
    used = ["set/a/1.png", "set/b/2.png"]
    account = take(tmp_path, FOLDERS, used, *used, "set/c/3.heic", "set/c/4.heic", "docs/5.txt")
    assert account.vanished == ["set/c"]
    assert account.sentences()[-1] == "Nothing in the folder 'set/c' is used."


def account(left: int) -> Inventory:
    return Inventory(10, 1, [Aside(".heic (HEIC)", left, "1.heic")] if left else [], [])


@pytest.mark.parametrize(("left", "holds"), [(3, True), (2, False), (4, False), (0, False)])
def test_other_files_left_aside_than_when_the_page_was_written_are_a_finding(left: int, holds: bool) -> None:
    dataset = make_dataset(validation=make_validation(warning={"left_aside": 3}))
    (finding,) = _left_aside(account(left), dataset)
    assert (finding.level, finding.success, finding.count) == ("warning", holds, left)
    assert bool(finding.examples) == (not holds and left > 0)


def test_without_a_limit_or_an_archive_nothing_is_found() -> None:
    assert _left_aside(account(3), make_dataset()) == []
    assert _left_aside(None, make_dataset(validation=make_validation(warning={"left_aside": 3}))) == []
