import zipfile
from pathlib import Path

import pytest

from podium.config.datasets import YoloFormat
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.yolo import names as of_names
from podium.datasets.formats.yolo.annotations import parse
from podium.datasets.formats.yolo.names import Names, read_names
from podium.errors import PodiumError
from tests.podium.datasets.formats.boxed import archive, yolo

NAMES = Names({0: "cat", 1: "dog"}, "data.yaml")
LAYOUT = YoloFormat(
    kind="yolo", folders={"train": "images"}, annotations={"train": "labels"}, objects="one", names="data.yaml"
)


def make(tmp_path: Path, labels: dict[str, str], names: str = "names: [cat, dog]") -> Path:
    images = {f"images/{name}.jpg": "" for name in labels}
    return archive(
        tmp_path, images | {f"labels/{name}.txt": text for name, text in labels.items()} | {"data.yaml": names}
    )


def test_images_with_one_object_have_its_label_and_box_in_pixels(tmp_path: Path) -> None:
    labels = {"2": yolo([("cat", (2, 3, 10, 8)), ("dog", (0, 0, 20, 20))]), "1": "1 0.5 0.25 0.5 0.5\n", "3": "\n"}
    raw = make(tmp_path, labels)
    assert [(e.id, e.part, e.label, e.box) for e in read(raw, LAYOUT)] == [
        ("images/1.jpg", "train", "dog", (6.0, 0.0, 12.0, 10.0))
    ]


def test_without_a_file_of_names_labels_are_numbers(tmp_path: Path) -> None:
    layout = YoloFormat(kind="yolo", folders={"train": "images"}, annotations={"train": "labels"}, objects="one")
    raw = make(tmp_path, {"1": "7 0.5 0.5 1 1"})
    assert [e.label for e in read(raw, layout)] == ["7"]


def test_names_and_lists_beside_the_annotations_are_none(tmp_path: Path) -> None:
    files = {
        "d/1.jpg": "",
        "d/1.txt": "0 .5 .5 1 1",
        "d/2.jpg": "",
        "d/2.txt": "1 .5 .5 1 1",
        "d/classes.txt": "cat\ndog\n",
    }
    lists = {"train": "d/train.txt", "test": "d/test.txt"}
    raw = archive(tmp_path, {**files, "d/train.txt": "d/1.jpg", "d/test.txt": "data\\d\\2.jpg"})
    layout = YoloFormat(
        kind="yolo",
        folders=dict.fromkeys(lists, "d"),
        annotations=dict.fromkeys(lists, "d"),
        objects="one",
        names="d/classes.txt",
        lists=lists,
    )
    assert [(e.id, e.part, e.label) for e in read(raw, layout)] == [
        ("d/1.jpg", "train", "cat"),
        ("d/2.jpg", "test", "dog"),
    ]


@pytest.mark.parametrize(
    ("line", "keypoints", "box"),
    [
        ("0 .5 .5 1 .5", 0, (0.0, 0.25, 1.0, 0.5)),
        ("0.0\t.5 .5  1 .5", 0, (0.0, 0.25, 1.0, 0.5)),
        ("0 .1 .2 .5 .2 .5 .6", 0, (0.1, 0.2, 0.4, 0.4)),
        ("0 .5 .5 1 .5 .1 .1 .2 .2 0 0", 6, (0.0, 0.25, 1.0, 0.5)),
    ],
    ids=["box", "tabs", "polygon", "keypoints"],
)
def test_a_line_is_a_box_or_a_polygon_with_one_around_it(line: str, keypoints: int, box: tuple[float, ...]) -> None:
    tally = parse(line.encode(), "1.txt", Names({0: "cat"}, "data.yaml", keypoints=keypoints))
    assert tally.fault == ""
    assert tally.largest is not None
    assert tally.largest.box == pytest.approx(box)


@pytest.mark.parametrize(
    "line",
    [
        *("0 .5 .5 1", "0 .5 .5 1 1 .9", "0 .5 .5 1 x", "cat .5 .5 1 1", "-1 .5 .5 1 1", "0.5 .5 .5 1 1", "0"),
        *("0 120 80 40 30", "0 nan .5 1 1", "0 inf .5 1 1", "0 -.5 .5 1 1", "0 1 2 3 4 5 6 7 8 cat", "1e400 .5 .5 1 1"),
    ],
)
def test_a_line_that_is_none_is_a_fault_with_its_number(line: str) -> None:
    tally = parse(f"\n{line}\n".encode(), "labels/1.txt", NAMES)
    assert tally.fault.startswith(
        f"labels/1.txt, line 2 is '{line}'; expected the number of a class, and x y width height"
    )
    assert tally.left_out("one") == ""


def test_a_class_without_a_name_is_a_fault() -> None:
    tally = parse(b"2 .5 .5 1 1", "1.txt", NAMES)
    assert tally.fault == "1.txt, line 1 has the class 2, which has no name in data.yaml"


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("data.yaml", "names: [cat, 'no', 010, 1.0]", {0: "cat", 1: "no", 2: "010", 3: "1.0"}),
        ("data.yml", "names:\n  1: dog\n  0: cat\nnc: 2\nlist: &a [1]\nother: *a", {0: "cat", 1: "dog"}),
        ("data.yaml", "names: [no, y]", {0: "no", 1: "y"}),
        ("obj.names", "\ufeffcat\r\nbig dog\r\n\r\n", {0: "cat", 1: "big dog"}),
    ],
)
def test_names_are_as_they_are_written(tmp_path: Path, name: str, text: str, names: dict[int, str]) -> None:
    with Archive(archive(tmp_path, {name: text})) as opened:
        assert read_names(opened, name).of == names


def test_a_page_of_keypoints_tells_how_many(tmp_path: Path) -> None:
    with Archive(archive(tmp_path, {"data.yaml": "kpt_shape: [17, 3]\nnc: 1\nnames: [cat]"})) as opened:
        assert read_names(opened, "data.yaml") == Names({0: "cat"}, "data.yaml", 1, 51)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("data.yaml", "nc: 2", "has no names"),
        ("data.yaml", "names: 3", "has no names"),
        ("data.yaml", "[]", "has no names"),
        ("data.yaml", "", "has no names"),
        ("data.yaml", "names: {a: cat}", "has names that are none"),
        ("data.yaml", "names: {1: cat, 01: dog}", "given twice"),
        ("data.yaml", "names: [[cat]]", "has names that are none"),
        ("data.yaml", "names: [cat, '']", "has names that are none"),
        ("data.yaml", "names: [", "is not YAML that can be read"),
        ("data.yaml", "names: " + "[" * 5000, "has lists in lists, more than 20 deep"),
        ("data.yaml", "- " * 5000, "is not YAML that can be read"),
        ("data.yaml", "a: *b", "is not YAML that can be read"),
        ("classes.txt", "\n", "is empty"),
    ],
)
def test_names_that_are_none_are_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    with (
        Archive(archive(tmp_path, {name: text})) as opened,
        pytest.raises(PodiumError, match=f"'{name}' {words}|{words}"),
    ):
        read_names(opened, name)


def test_nothing_is_made_of_a_page_but_text(tmp_path: Path) -> None:
    text = "names: [!!python/object/apply:os.system ['true'], cat]"
    with (
        Archive(archive(tmp_path, {"data.yaml": text})) as opened,
        pytest.raises(PodiumError, match="names that are none"),
    ):
        read_names(opened, "data.yaml")


def test_a_file_of_names_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_names, "MAX_BYTES", 3)
    with (
        Archive(archive(tmp_path, {"data.yaml": "names: [a]"})) as opened,
        pytest.raises(PodiumError, match="of names has 3"),
    ):
        read_names(opened, "data.yaml")


def test_texts_about_nothing_are_no_lost_images_but_annotations_are(tmp_path: Path) -> None:
    raw = make(tmp_path, {"1": "0 .5 .5 1 1"})
    with zipfile.ZipFile(raw / "archive.zip", "a") as whole:
        whole.writestr("labels/readme.txt", "hello")
        whole.writestr("labels/2.txt", "0 .5 .5 1 1")
    assert {e.id: e.fault for e in read(raw, LAYOUT)} == {
        "images/1.jpg": "",
        "labels/2.txt": "it is about an image that is not in the archive",
    }
