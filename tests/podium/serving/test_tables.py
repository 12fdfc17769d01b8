import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from podium.errors import PodiumError
from podium.serving.submission import Form, Submission
from podium.serving.tables import harmless_cell, write_csv, write_json, write_parquet, write_to

CLASSES = ["cat", "=dog"]


def make(label: str | None = "cat", share: float = 0.75, **more: Any) -> dict[str, Any]:
    """An answer; without a label one about an image that could not be read."""
    if label is None:
        nothing = dict.fromkeys(("label", "probability", "unsure", "probabilities"))
        return {**nothing, "error": "it is empty", **dict.fromkeys(more)}
    others = {name: share if name == label else 1 - share for name in CLASSES}
    return {"label": label, "probability": share, "unsure": False, "probabilities": others, "error": "", **more}


ROWS = [
    ("a.jpg", make(box=[1.0, 2.0, 3.0, 4.0])),
    ("=1+1.jpg", make("=dog", 0.5, box=[0.0] * 4)),
    ("b", make(None, box=0)),
]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "＝"])
def test_a_name_never_becomes_a_formula(start: str) -> None:
    assert harmless_cell(f"{start}1.jpg") == f"'{start}1.jpg"


def test_csv_has_a_line_for_each_image() -> None:
    file = io.StringIO()
    write_csv(ROWS, CLASSES, boxes=True, file=file)
    assert file.getvalue().splitlines() == [
        "file,label,probability,unsure,left,top,right,bottom,error,p_cat,p_=dog",
        "a.jpg,cat,0.75,False,1.0,2.0,3.0,4.0,,0.75,0.25",
        "'=1+1.jpg,'=dog,0.5,False,0.0,0.0,0.0,0.0,,0.5,0.5",
        "b,,,,,,,,it is empty,,",
    ]


def test_json_has_the_answers_as_they_are(tmp_path: Path) -> None:
    with write_to(tmp_path / "answers.json", io.StringIO()) as file:
        write_json(ROWS, file)
    assert json.loads((tmp_path / "answers.json").read_text()) == [{"file": name, **answer} for name, answer in ROWS]


def test_json_of_nothing_is_an_empty_list() -> None:
    file = io.StringIO()
    write_json([], file)
    assert json.loads(file.getvalue()) == []


def test_parquet_has_the_columns_of_csv(tmp_path: Path) -> None:
    write_parquet(ROWS * 700, CLASSES, boxes=True, path=tmp_path / "answers.parquet")
    table = pd.read_parquet(tmp_path / "answers.parquet")
    assert len(table) == 2100
    assert table["file"][:3].tolist() == ["a.jpg", "=1+1.jpg", "b"]
    assert table["p_=dog"][1] == 0.5
    assert table.loc[2, ["label", "probability", "left"]].isna().all()


def test_a_file_that_is_not_whole_does_not_appear(tmp_path: Path) -> None:
    def break_off() -> Any:
        yield ROWS[0]
        raise PodiumError("stop")

    with pytest.raises(PodiumError, match="stop"), write_to(tmp_path / "answers.csv", io.StringIO()) as file:
        write_csv(break_off(), CLASSES, boxes=True, file=file)
    assert not [*tmp_path.iterdir()]


def submit(form: Form, path: Path, **answers: Any) -> list[str]:
    submission = Submission(form, CLASSES)
    for name, answer in answers.items():
        submission.add(name, answer)
    submission.save(path / "submission.csv")
    return (path / "submission.csv").read_text().splitlines()


PETS = {"test1/10.jpg": make(), "test1/2.jpg": make("=dog", 0.9), "test1/3.jpg": make(None)}


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        (Form(), ["id,label", "2,1", "10,0"]),
        (Form(value="probability"), ["id,label", "2,0.900000", "10,0.250000"]),
        (Form(value="probability", positive="cat"), ["id,label", "2,0.100000", "10,0.750000"]),
        (Form(("image", "class"), id="name", value="label"), ["image,class", "10.jpg,cat", "2.jpg,'=dog"]),
        (Form(id="stem"), ["id,label", "10,0", "2,1"]),
    ],
)
def test_a_submission_is_what_a_competition_asks_for(form: Form, lines: list[str], tmp_path: Path) -> None:
    assert submit(form, tmp_path, **PETS) == lines


def test_a_submission_says_in_words_what_it_is() -> None:
    assert Form().describe(CLASSES) == "id is the number in the file's name, label is 0 for cat, 1 for =dog"
    assert Form(value="probability").describe(CLASSES).endswith("label is the probability of =dog")


@pytest.mark.parametrize(
    ("names", "message"),
    [(["photo.jpg"], "ends in no number"), (["a/1.jpg", "b/1.jpg"], "Two images have the id 1")],
)
def test_an_image_without_an_id_of_its_own_is_told(names: list[str], message: str) -> None:
    with pytest.raises(PodiumError, match=message):
        Submission(Form(), CLASSES).check_names(names)


def test_a_class_that_there_is_not_is_told() -> None:
    with pytest.raises(PodiumError, match="no class 'dog'"):
        Form(positive="dog").check(CLASSES)
