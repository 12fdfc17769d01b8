"""The page of `podium init`: what was read, for people to see; and what is done where it is not clear."""

import base64
import html
import io
import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from podium.cli import main
from podium.config import load_params
from tests.makers import make_rows, make_table
from tests.podium.datasets.starter.test_init import GUIDE, image, images, in_folders, make_zip

THUMBNAIL = re.compile(r"data:image/webp;base64,([^\"]+)")
BOX_COLOUR = (0x35, 0xD0, 0x7F)
VERSIONS = in_folders("plants/color/oak", "plants/color/elm", "plants/gray/oak", "plants/gray/elm", count=6)
"""Two folders with the same classes: which is the dataset, and is `color` a class?"""


def page_of(name: str) -> str:
    return Path(f"reports/{name}/init.html").read_text(encoding="utf-8")


def sheets(page: str) -> dict[str, list[int]]:
    """How many thumbnails each class has, part by part."""
    found = re.findall(r'<section class="sheet"><h3>(?:<bdi>)?([^<]*)(.*?)</section>', page, re.S)
    return {
        html.unescape(name.strip()): [len(THUMBNAIL.findall(strip)) for strip in body.split('<div class="strip')[1:]]
        for name, body in found
    }


def account(page: str) -> list[int]:
    table = page.partition("files of the archive")[2].partition("</table>")[0]
    return [int(count.replace(",", "")) for count in re.findall(r'<td class="n">([\d,]+)</td>', table)]


def commands(page: str) -> list[list[str]]:
    found = [shlex.split(html.unescape(text)) for text in re.findall(r"<pre><code>(podium init .*?)</code>", page)]
    return [words[1:] for words in found]


def init(path: Path, files: dict[str, bytes], *more: str) -> str:
    assert main(["init", str(make_zip(path, files)), "--force", *more]) == 0
    return page_of("x")


# a reading that is taken --------------------------------------------------------------------------------


def test_the_page_shows_each_class_of_each_part_and_accounts_for_every_file(project: Path, tmp_path: Path) -> None:
    files = in_folders("train/apple", "train/pear", "test/apple", count=9) | images(
        "test/pear/1.png", "test/pear/2.png"
    )
    files |= {f"train/plum/{n}.heic": b"\0\0\0\x18ftypheic" + bytes(20) for n in range(3)}
    files |= {"notes.txt": b"hello", "__MACOSX/a": b"x", "train/.DS_Store": b"x"}
    page = init(tmp_path / "x.zip", files)
    assert sheets(page) == {"apple": [5, 5], "pear": [5, 2]}
    *parts, whole = account(page)
    assert sum(parts) == whole == len(files)
    assert parts[0] == 29
    assert "left aside: <bdi>.heic (HEIC)</bdi>" in page
    assert "Nothing in the folder <bdi><code>train/plum</code></bdi> is used." in page
    assert "29 images of 2 classes: train 18, test 11" in page
    assert "dvc repro" in page


def test_five_images_lie_evenly_from_the_first_to_the_last(project: Path, tmp_path: Path) -> None:
    page = init(tmp_path / "x.zip", in_folders("apple", "pear", count=9))
    assert re.findall(r'title="(apple/\d\.png)"', page) == [f"apple/{n}.png" for n in (0, 2, 4, 6, 8)]


def test_the_same_archive_gives_the_same_bytes(project: Path, tmp_path: Path) -> None:
    pages = {init(tmp_path / "x.zip", in_folders("train/apple", "train/pear", count=8)) for _ in range(2)}
    assert len(pages) == 1


def test_images_of_tables_are_shown_too(project: Path, tmp_path: Path) -> None:
    page = init(tmp_path / "x.zip", {"train.csv": make_table(make_rows(40)).encode(), "notes.txt": b"hello"})
    assert all(counts == [5] for counts in sheets(page).values())
    assert account(page) == [1, 1, 2]
    assert "hold the images" in page


def test_images_that_are_kept_in_no_memory_are_read_again(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = in_folders("train/apple", "train/pear", count=8)
    kept = init(tmp_path / "x.zip", files)
    monkeypatch.setattr("podium.datasets.validation.thumbnails.MAX_KEPT_BYTES", 0)
    assert init(tmp_path / "x.zip", files) == kept


def test_boxes_are_drawn(project: Path, tmp_path: Path) -> None:
    page = init(tmp_path / "x.zip", with_boxes(1))
    thumbnails = [Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB") for text in THUMBNAIL.findall(page)]
    assert len(thumbnails) == 10
    assert all((np.asarray(each) == BOX_COLOUR).all(axis=2).sum() > 20 for each in thumbnails)


def with_boxes(objects: int) -> dict[str, bytes]:
    """A COCO dataset; every image has so many objects."""
    boxes = [
        {"image_id": n, "category_id": (n + o) % 2, "bbox": [3, 4, 12, 9 - 3 * o]}
        for n in range(20)
        for o in range(objects)
    ]
    content = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 24, "height": 20} for n in range(20)],
        "annotations": boxes,
        "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
    }
    return {f"train/{n}.png": image(n) for n in range(20)} | {
        "annotations/instances_train.json": json.dumps(content).encode()
    }


def test_of_many_classes_the_first_are_shown_and_all_are_counted(project: Path, tmp_path: Path) -> None:
    page = init(tmp_path / "x.zip", in_folders(*(f"class {n}" for n in range(70)), count=2, size=(4, 4)))
    assert [*sheets(page)] == [f"class {n}" for n in range(60)]
    assert "and 10 more classes, counted below" in page
    assert "<th><bdi>class 69</bdi></th>" in page


def test_problems_and_images_without_labels_are_told(project: Path, tmp_path: Path) -> None:
    files = in_folders("train/apple", "train/pear", count=8) | images(*(f"test/{n}.png" for n in range(7)))
    page = init(tmp_path / "x.zip", files | {"train/apple/bad.png": image(1)[:60]})
    assert sheets(page)["unlabelled"] == [5]
    assert "1 images cannot be used" in page
    assert ">cannot be used</th><td" in page
    *parts, whole = account(page)
    assert sum(parts) == whole == 24


def test_other_readings_have_the_commands_that_take_them(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = in_folders("all/apple", "all/pear", count=8)
    rows = "".join(f"{name},{name.split('/')[1]}\n" for name in files)
    page = init(tmp_path / "x.zip", files | {"labels.csv": f"path,label\n{rows}".encode()})
    assert load_params().dataset("x").format.kind == "image_folder"
    (words,) = [each for each in commands(page) if "--as" in each]
    number = words[words.index("--as") + 1]
    assert f"`--as {number}` takes it." in capsys.readouterr().out
    assert main(words) == 0
    assert load_params().dataset("x").format.kind == "csv_index"


HOSTILE = ["<script>alert(1)</script>".replace("/", ""), '" onerror="x', "\u202egnp.exe", "a&b{{ 7*7 }}", "n" * 200]


def test_strangers_names_are_shown_as_text(project: Path, tmp_path: Path) -> None:
    page = init(tmp_path / "x.zip", in_folders(*HOSTILE, count=4))
    assert "<script" not in page
    assert 'onerror="' not in page
    assert "\u202e" not in page
    assert "{{ 7*7 }}" in page
    assert len(sheets(page)) == len(HOSTILE)


# what is not clear --------------------------------------------------------------------------------------


@pytest.fixture
def unclear(tmp_path: Path) -> Path:
    return make_zip(tmp_path / "my plants.zip", VERSIONS)


def test_unclear_readings_are_shown_side_by_side_and_nothing_is_written(
    project: Path, unclear: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "params.yaml").read_bytes()
    assert main(["init", str(unclear)]) == 1
    assert (project / "params.yaml").read_bytes() == before
    told = capsys.readouterr().err
    assert told.endswith("Look at them: reports/my-plants/init.html\n")
    page = page_of("my-plants")
    numbers = re.findall(r"^  (\d)\. image_folder: ", told, flags=re.M)
    assert commands(page) == [["init", str(unclear), "--name", "my-plants", "--as", number] for number in numbers]
    cards = page.split('<section class="card">')[1:]
    assert len(cards) == len(numbers) > 2
    for card in cards:
        names = re.findall(r"<h3><bdi>(\w+)</bdi></h3>", card)
        assert names in (["elm", "oak"], ["color", "gray"])
        assert len(THUMBNAIL.findall(card)) == 3 * len(names)
        assert "But: " in card


def test_each_command_takes_the_reading_beside_it(project: Path, unclear: Path) -> None:
    assert main(["init", str(unclear)]) == 1
    page = page_of("my-plants")
    for card in page.split('<section class="card">')[1:]:
        (words,) = commands(card)
        assert main([*words, "--force"]) == 0
        assert sorted(load_params().dataset("my-plants").classes) == re.findall(r"<h3><bdi>(\w+)</bdi></h3>", card)


def test_the_guide_shows_the_message(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_zip(Path("plants.zip"), VERSIONS)
    assert main(["init", "plants.zip"]) == 1
    assert f"\n$ podium init plants.zip\n{capsys.readouterr().err}```\n" in GUIDE


def test_readings_that_name_no_images_are_read_from_their_start(project: Path, tmp_path: Path) -> None:
    assert main(["init", str(make_zip(tmp_path / "x.zip", with_boxes(2)))]) == 1
    cards = page_of("x").split('<section class="card">')[1:]
    assert [len(THUMBNAIL.findall(card)) for card in cards if "largest" in card.partition("But:")[0]] == [6]


def test_a_layout_that_cannot_be_read_at_all_has_no_page(project: Path, tmp_path: Path) -> None:
    assert main(["init", str(make_zip(tmp_path / "x.zip", {"a.pkl": b"\x80\x04."}))]) == 1
    assert not Path("reports/x/init.html").exists()


def sit_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make streams a terminal's. To be called in a test: pytest has other streams while it sets fixtures up."""
    monkeypatch.delenv("CI", raising=False)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)


def test_in_a_terminal_one_is_asked_for_until_the_answer_is_a_number(
    project: Path, unclear: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sit_at_a_terminal(monkeypatch)
    answers = iter(["0", "two", "99", " 2 "])
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or next(answers))
    assert main(["init", str(unclear)]) == 0
    assert len(asked) == 4
    assert re.fullmatch(r"Which one\? \[1–\d, Enter for none\] ", asked[0])
    assert "They can be read so:" in capsys.readouterr().out.partition("is now a draft")[0]
    taken = load_params().dataset("my-plants").format
    assert main(["init", str(unclear), "--as", "2", "--force"]) == 0
    assert load_params().dataset("my-plants").format == taken


@pytest.mark.parametrize("answer", ["", EOFError])
def test_in_a_terminal_none_can_be_taken(
    project: Path,
    unclear: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str | type[EOFError],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def reply(_: str) -> str:
        if isinstance(answer, str):
            return answer
        raise answer

    sit_at_a_terminal(monkeypatch)
    before = (project / "params.yaml").read_bytes()
    monkeypatch.setattr("builtins.input", reply)
    assert main(["init", str(unclear)]) == 1
    assert capsys.readouterr().err.endswith("podium: No reading is taken, and params.yaml is as it was.\n")
    assert (project / "params.yaml").read_bytes() == before


@pytest.mark.parametrize("why", ["pipe in", "pipe out", "CI"])
def test_nobody_is_asked_in_pipes_or_in_ci(
    project: Path, unclear: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    def ask(_: str) -> str:
        raise AssertionError

    sit_at_a_terminal(monkeypatch)
    monkeypatch.setattr("builtins.input", ask)
    if why == "CI":
        monkeypatch.setenv("CI", "true")
    else:
        monkeypatch.setattr(sys.stdin if why == "pipe in" else sys.stdout, "isatty", lambda: False)
    assert main(["init", str(unclear)]) == 1
