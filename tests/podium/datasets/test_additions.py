"""The table of accepted labels, and the images that it names."""

import hashlib
from pathlib import Path

import pytest

from podium.datasets.additions import check_additions, load_additions, read_additions
from podium.errors import PodiumError
from podium.paths import ADDITIONS, DatasetPaths
from tests.makers import add_labels, make_review

PATHS = DatasetPaths("dots")
DIGEST = hashlib.sha256(b"an image").hexdigest()


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_review(tmp_path)


def test_the_images_of_one_dataset_are_read_in_the_order_of_the_table() -> None:
    add_labels(Path(), "cats", ("0", b"a cat"))
    added = add_labels(Path(), "dots", ("2", b"two"), ("1", b"one"))
    table = load_additions(ADDITIONS, "dots")
    assert table["id"].tolist() == added
    found = [(one.id, one.part, one.label, one.image) for one in read_additions(PATHS, table)]
    assert found == [(added[0], "additions", "2", b"two"), (added[1], "additions", "1", b"one")]
    assert load_additions(ADDITIONS, "dogs").empty


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"dots,1,{DIGEST},../{DIGEST}.png", "line 2: the file is '../"),
        (f"dots,1,{DIGEST},{DIGEST}", "Expected the file's name to be the image's sha256 and an ending"),
        (f"dots,1,{'0' * 64},{DIGEST}.png", "line 2"),
        ("dots,1,,", "line 2"),
        (f"dots,1,{DIGEST},{DIGEST}.png\ndots,2,{DIGEST},{DIGEST}.png", "line 3: that image is in dots already"),
        ("dots,1,2,3,4,5", "line 2 has more than 4 values"),
    ],
    ids=["leads out", "no ending", "another digest", "empty", "twice", "no table"],
)
def test_a_line_that_cannot_be_followed_is_named(line: str, message: str) -> None:
    with ADDITIONS.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(PodiumError, match=message):
        load_additions(ADDITIONS, "dots")


def test_other_columns_and_a_missing_table_are_said() -> None:
    ADDITIONS.write_text("dataset,label\n")
    with pytest.raises(PodiumError, match=r"Expected dataset,label,sha256,file"):
        load_additions(ADDITIONS, "dots")
    ADDITIONS.unlink()
    with pytest.raises(PodiumError, match=r"git checkout data/additions\.csv"):
        load_additions(ADDITIONS, "dots")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.unlink(), r"is not here.*`dvc checkout data/additions/dots\.dvc`"),
        (lambda file: file.write_bytes(b"another"), r"is another image: its sha256 is .*`dvc pull"),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read"),
    ],
    ids=["gone", "changed", "a folder"],
)
def test_a_file_that_is_gone_or_another_is_named_with_the_way_out(change, message: str) -> None:
    (id_,) = add_labels(Path(), "dots", ("1", b"one"))
    change(PATHS.additions / id_.removeprefix("additions/"))
    with pytest.raises(PodiumError, match=message):
        check_additions(PATHS, load_additions(ADDITIONS, "dots"))
