"""Archives whose annotations tell every object: what is found, and what speaks against it."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from podium.datasets.archive import Archive
from podium.datasets.formats import read, read_validated
from podium.datasets.formats.coco import annotations as of_coco
from podium.datasets.formats.coco import detect as coco_detect
from podium.datasets.formats.survey import objects as survey_objects
from podium.datasets.formats.survey.reading import WRITTEN_DOWN, Reading
from podium.datasets.formats.voc import detect as voc_detect
from podium.datasets.formats.yolo import detect as yolo_detect
from podium.datasets.validation.scan import build_manifest
from tests.podium.datasets.formats.boxed import Things, archive, coco, look, voc, yolo

Files = Mapping[str, bytes | str]
DETECTORS = {"coco": coco_detect, "voc": voc_detect, "yolo": yolo_detect}
BOX, WHOLE = (2, 3, 10, 8), (0, 0, 20, 20)
LABELS = ("cat", "dog")
NAMES = 'names: ["cat", "dog"]\nnc: 2\n'


def one(number: int) -> Things:
    return [(LABELS[number % 2], BOX)]


def two(number: int) -> Things:
    return [*one(number), (LABELS[(number + 1) % 2], WHOLE)]


def several(number: int) -> Things:
    return one(number) if number % 5 < 2 else two(number)


def images(folder: str, count: int = 10, ending: str = ".jpg") -> dict[str, bytes | str]:
    return {f"{folder}/{number}{ending}".removeprefix("./"): "" for number in range(count)}


def with_files(
    folder: str,
    beside: str,
    write: Callable[[Things], str],
    things: Callable[[int], Things] = one,
    count: int = 10,
    ending: str = ".jpg",
) -> dict[str, bytes | str]:
    """Images, and an annotation file each in the folder `beside`."""
    kind = ".xml" if write is voc else ".txt"
    texts = {f"{beside}/{number}{kind}".removeprefix("./"): write(things(number)) for number in range(count)}
    return images(folder, count, ending) | texts


def with_json(
    folder: str, table: str, things: Callable[[int], Things] = one, count: int = 10, prefix: str = ""
) -> dict[str, bytes | str]:
    return images(folder, count) | {table: coco({f"{prefix}{number}.jpg": things(number) for number in range(count)})}


def find(raw: Path) -> dict[str, list[Reading]]:
    with Archive(raw) as opened:
        contents = look(opened)
        return {kind: found for kind, module in DETECTORS.items() if (found := module.find(contents))}


def entries(folder: str, *numbers: int) -> str:
    return "".join(f"{folder}{number}\n" for number in numbers)


ROBOFLOW = ("train", "valid", "test")
PARTS = ("train", "validation", "test")
TALL = {"train": "train", "validation": "valid", "test": "test"}

SOUND: dict[str, tuple[str, Files, dict[str, Any], int]] = {
    "coco 2017": (
        "coco",
        with_json("c/train2017", "c/annotations/instances_train2017.json")
        | with_json("c/val2017", "c/annotations/instances_val2017.json", count=4)
        | images("c/test2017", 3)
        | {"c/annotations/person_keypoints_val2017.json": coco({"1.jpg": [("cat", BOX)]}, ("cat",))}
        | {"c/annotations/captions_val2017.json": json.dumps({"images": [], "annotations": [{"caption": "a cat"}]})},
        {
            "folders": {"train": "c/train2017", "validation": "c/val2017", "unlabelled": "c/test2017"},
            "annotations": {
                "train": "c/annotations/instances_train2017.json",
                "validation": "c/annotations/instances_val2017.json",
            },
        },
        17,
    ),
    "coco beside its images": (
        "coco",
        {k: v for part in ROBOFLOW for k, v in with_json(part, f"{part}/_annotations.coco.json").items()},
        {"folders": TALL, "annotations": {part: f"{name}/_annotations.coco.json" for part, name in TALL.items()}},
        30,
    ),
    "coco with folders in its paths": (
        "coco",
        with_json("d/images", "d/result.json", prefix="images\\"),
        {"folders": {"train": "d"}, "annotations": {"train": "d/result.json"}},
        10,
    ),
    "coco with paths of another disk": (
        "coco",
        with_json("d/images", "d/result.json", prefix="/home/me/"),
        {"folders": {"train": "d/images"}, "annotations": {"train": "d/result.json"}},
        10,
    ),
    "coco in one folder": (
        "coco",
        images("images", 10)
        | {"train.json": coco({f"{number}.jpg": one(number) for number in range(6)})}
        | {"val.json": coco({f"{number}.jpg": one(number) for number in range(6, 10)})},
        {
            "folders": dict.fromkeys(("train", "validation"), "images"),
            "annotations": {"train": "train.json", "validation": "val.json"},
        },
        10,
    ),
    "voc in two folders": (
        "voc",
        with_files("images", "annotations", voc, ending=".png"),
        {"folders": {"train": "images"}, "annotations": {"train": "annotations"}, "lists": None},
        10,
    ),
    "voc beside its images": (
        "voc",
        with_files("train_zip/train", "train_zip/train", voc) | with_files("test_zip/test", "test_zip/test", voc),
        {key: {"train": "train_zip/train", "test": "test_zip/test"} for key in ("folders", "annotations")},
        20,
    ),
    "voc with lists": (
        "voc",
        with_files("V/JPEGImages", "V/Annotations", voc)
        | images("V/SegmentationClass", 10, ".png")
        | {"V/ImageSets/Main/trainval.txt": entries("", 0, 1, 2, 3, 4), "V/ImageSets/Main/test.txt": entries("", 5, 6)}
        | {"V/ImageSets/Main/cat_train.txt": "0  1\n1 -1\n", "V/ImageSets/Layout/train.txt": entries("", 0)},
        {
            "folders": dict.fromkeys(("train", "test"), "V/JPEGImages"),
            "annotations": dict.fromkeys(("train", "test"), "V/Annotations"),
            "lists": {"train": "V/ImageSets/Main/trainval.txt", "test": "V/ImageSets/Main/test.txt"},
        },
        7,
    ),
    "voc in class folders": (
        "voc",
        with_files("Images/cat", "Annotation/cat", voc) | with_files("Images/dog", "Annotation/dog", voc, count=5),
        {"folders": {"train": "Images"}, "annotations": {"train": "Annotation"}},
        15,
    ),
    "voc with both endings": (
        "voc",
        {name.replace(".xml", ".jpg.xml"): data for name, data in with_files("images", "annotations", voc).items()},
        {"folders": {"train": "images"}, "annotations": {"train": "annotations"}},
        10,
    ),
    "voc beside masks": (
        "voc",
        with_files("images", "annotations", voc) | images("masks", 10, ".png"),
        {"folders": {"train": "images"}, "annotations": {"train": "annotations"}},
        10,
    ),
    "yolo by parts": (
        "yolo",
        with_files("d/images/train", "d/labels/train", yolo)
        | with_files("d/images/val", "d/labels/val", yolo)
        | images("d/images/test", 3)
        | {"d/data.yaml": NAMES},
        {
            "folders": {"train": "d/images/train", "validation": "d/images/val", "unlabelled": "d/images/test"},
            "annotations": {"train": "d/labels/train", "validation": "d/labels/val"},
            "names": "d/data.yaml",
            "lists": None,
        },
        23,
    ),
    "yolo by parts above": (
        "yolo",
        {k: v for p in ROBOFLOW for k, v in with_files(f"{p}/images", f"{p}/labels", yolo).items()}
        | {"data.yaml": NAMES, "README.dataset.txt": "hello"},
        {
            "folders": {part: f"{name}/images" for part, name in TALL.items()},
            "annotations": {part: f"{name}/labels" for part, name in TALL.items()},
            "names": "data.yaml",
        },
        30,
    ),
    "darknet": (
        "yolo",
        with_files("obj_train_data", "obj_train_data", yolo)
        | {"obj.names": "cat\ndog\n", "obj.data": "classes = 2", "train.txt": entries("data/obj_train_data/", 0)},
        {"folders": {"train": "obj_train_data"}, "names": "obj.names", "lists": None},
        10,
    ),
    "yolo with lists": (
        "yolo",
        with_files("images", "labels", yolo)
        | {"train.txt": "".join(f"./images/{n}.jpg\n" for n in range(6)), "data.yaml": NAMES}
        | {"val.txt": "".join(f"./images/{n}.jpg\n" for n in range(6, 10))},
        {
            "folders": dict.fromkeys(("train", "validation"), "images"),
            "lists": {"train": "train.txt", "validation": "val.txt"},
        },
        10,
    ),
    "yolo with folders by data.yaml": (
        "yolo",
        with_files("d/images/a", "d/labels/a", yolo)
        | with_files("d/images/b", "d/labels/b", yolo)
        | {"d/data.yaml": NAMES + "train: ../images/a\nval: /data/images/b\n"},
        {
            "folders": {"train": "d/images/a", "validation": "d/images/b"},
            "annotations": {"train": "d/labels/a", "validation": "d/labels/b"},
        },
        20,
    ),
    "yolo in one folder": (
        "yolo",
        with_files(".", ".", yolo) | {"classes.txt": "cat\ndog\n"},
        {"folders": {"train": "."}, "annotations": {"train": "."}, "names": "classes.txt"},
        10,
    ),
    "yolo in capitals": (
        "yolo",
        {name.upper(): data for name, data in with_files("images/train", "labels/train", yolo).items()},
        {"folders": {"train": "IMAGES/TRAIN"}, "annotations": {"train": "LABELS/TRAIN"}, "names": None},
        10,
    ),
}


@pytest.mark.parametrize("case", SOUND)
def test_images_with_one_object_are_found_and_read(tmp_path: Path, case: str) -> None:
    kind, files, keys, count = SOUND[case]
    raw = archive(tmp_path, files)
    found = find(raw)
    assert [*found] == [kind]
    (reading,) = found[kind]
    layout = reading.format
    assert layout is not None
    assert {key: getattr(layout, key) for key in keys} == keys
    assert (layout.kind, getattr(layout, "objects", ""), reading.doubts) == (kind, "one", [])
    assert (reading.images, reading.strength) == (count, WRITTEN_DOWN)
    examples = list(read(raw, layout))
    assert len(examples) == count
    assert [example.fault for example in examples if example.fault] == []
    expected = ("0", "1") if case == "yolo in capitals" else LABELS
    for example in examples:
        number = int(example.id.rpartition("/")[2].partition(".")[0])
        assert example.label == ("" if example.part == "unlabelled" else expected[number % 2])
        assert example.part == "unlabelled" or example.box == pytest.approx(BOX)
    used = {example.id for example in examples}
    assert not used & reading.aside.keys()
    folders = tuple(f"{place}/" for place in reading.aside)
    unexplained = [n for n in files if n not in used and n not in reading.aside and not n.startswith(folders)]
    assert [name for name in unexplained if name.endswith((".jpg", ".png", ".xml"))] == []
    assert [name for name in reading.aside if "mask" in reading.aside[name]] == [
        name for name in ("V/SegmentationClass", "masks") if any(each.startswith(name) for each in files)
    ]


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("coco", with_json("train", "train.json", several)),
        ("voc", with_files("images", "annotations", voc, several)),
        ("yolo", with_files("images", "labels", yolo, several) | {"data.yaml": NAMES}),
    ],
    ids=DETECTORS,
)
def test_where_many_images_have_several_objects_both_ways_are_shown_with_doubts(
    tmp_path: Path, kind: str, files: Files
) -> None:
    raw = archive(tmp_path, files)
    one, largest = find(raw)[kind]
    assert [getattr(each.format, "objects", "") for each in (one, largest)] == ["one", "largest"]
    assert (one.images, largest.images) == (4, 10)
    folder = "train" if kind == "coco" else "images"
    told = f"4 of 10 images have exactly one object; 6 have several, such as '{folder}/2.jpg'"
    assert one.doubts == [f"{told}: `objects: one` leaves out the others, `objects: largest` would use 10."]
    assert [doubt.partition(":")[0] for doubt in largest.doubts] == [told]
    assert f"6 images are left aside, such as '{folder}/2.jpg': it has several objects." in one.notes
    assert Counter(one.aside.values())["it has several objects"] == 6
    assert [e.label for e in read(raw, one.format)] == ["cat", "dog", "dog", "cat"]  # type: ignore[arg-type]
    assert len([*read(raw, largest.format)]) == 10  # type: ignore[arg-type]


def test_a_few_images_with_several_objects_are_told_and_no_doubt(tmp_path: Path) -> None:
    files = with_files("images", "annotations", voc, lambda number: two(number) if number == 3 else one(number))
    (reading,) = find(archive(tmp_path, files))["voc"]
    assert (reading.images, reading.doubts) == (9, [])
    assert "1 images are left aside, such as 'images/3.jpg': it has several objects." in reading.notes


def face(_: int) -> Things:
    return [("face", BOX)]


@pytest.mark.parametrize(
    ("files", "doubt"),
    [
        (
            with_files("images", "annotations", voc, face),
            "All objects of the annotations (Pascal VOC) are 'face'; a classifier needs two classes at least.",
        ),
        (
            {
                name: "<annotation><object><name>cat</name></object><object><name>dog</name></object></annotation>"
                if name.endswith(".xml")
                else data
                for name, data in with_files("images", "annotations", voc).items()
            },
            "The annotations (Pascal VOC) give no image one label: 10 images are left out, such as 'images/0.jpg'",
        ),
    ],
    ids=["one class", "several objects without boxes"],
)
def test_a_layout_that_cannot_be_used_says_why(tmp_path: Path, files: Files, doubt: str) -> None:
    (reading,) = find(archive(tmp_path, files))["voc"]
    assert reading.format is None
    assert doubt in reading.doubts[0]


def test_a_json_that_is_too_large_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_coco, "MAX_BYTES", 10)
    (reading,) = find(archive(tmp_path, with_json("train", "train.json")))["coco"]
    assert reading.format is None
    assert "podium reads a COCO JSON of 10 at most" in reading.doubts[0]


SEEMING = {
    "cut short": (
        {"train.json": coco({"1.jpg": one(1)})[:200]},
        "'train.json' is no COCO JSON: what begins with",
    ),
    "captions": (
        {"train.json": json.dumps({"images": [{"id": 1, "file_name": "1.jpg"}], "annotations": [{"image_id": 1}]})},
        "'train.json' is no COCO JSON: its annotations have {'image_id': 1}",
    ),
    "of no part": (
        {f"{label}.json": coco({f"{n}.jpg": [(label, BOX)] for n in range(2)}) for label in LABELS},
        "'cat.json'; 'dog.json': several JSON files, and their names tell no part.",
    ),
}


@pytest.mark.parametrize("case", SEEMING)
def test_a_json_that_seems_cocos_and_cannot_be_read_says_why(tmp_path: Path, case: str) -> None:
    files, doubt = SEEMING[case]
    (reading,) = find(archive(tmp_path, images("a") | files))["coco"]
    assert reading.format is None
    assert doubt in reading.doubts[0]


CAPTIONS = {f"flickr/{number}.txt": "a dog on a lawn, 0.5 0.5" for number in range(10)}


@pytest.mark.parametrize(
    "files",
    [
        images("a/cat") | images("a/dog"),
        images("flickr") | CAPTIONS,
        images("a") | {f"a/{number}.txt": "" for number in range(10)},
        images("a") | {f"a/{number}.xml": "<rss/>" for number in range(10)},
        images("a") | {"a.json": '{"images": 3}', "b.json": "[]", "c.json": '{"images": [', "d.json": '{"a":' * 5000},
        images("a") | {f"{number}.json": "{}" for number in range(300)},
        {f"{number}.xml": voc(one(number)) for number in range(10)},
        {"a.jpg": "", "train.json": coco({"1.jpg": [("cat", BOX)], "2.jpg": [("dog", BOX)]})},
    ],
    ids=["folders", "captions", "empty", "other xml", "other json", "a json an image", "no images", "other images"],
)
def test_other_layouts_are_none_of_these(tmp_path: Path, files: Files) -> None:
    assert find(archive(tmp_path, files)) == {}


@pytest.mark.parametrize(
    ("kind", "files", "doubts"),
    [
        (
            "coco",
            images("train", 3) | {"train.json": coco({f"{number}.jpg": one(number) for number in range(10)})},
            ["7 images are named and not in the archive, such as 'train/3.jpg'."],
        ),
        (
            "voc",
            with_files("images", "annotations", voc) | dict.fromkeys(("annotations/1.xml", "annotations/2.xml"), "<a>"),
            ["The annotations of 2 of 10 images cannot be understood: annotations/1.xml is not XML that can be read"],
        ),
        (
            "voc",
            with_files("a", "annotations", voc) | images("b"),
            ["The annotations in 'annotations' may be of the images in 'b' or of those in 'a'."],
        ),
        (
            "voc",
            with_files("images", "annotations", voc) | images("images", 10, ".png"),
            ["The annotations of 20 of 20 images cannot be understood: two images share one annotation."],
        ),
        (
            "yolo",
            with_files("images", "labels", yolo) | {"data.yaml": "names: [cat]"},
            [
                "Objects have the class 1, which has no name in 'data.yaml'.",
                "The annotations of 5 of 10 images",
                "All objects",
            ],
        ),
        (
            "yolo",
            with_files("images", "labels", yolo) | {"data.yaml": NAMES, "classes.txt": "dog\ncat\n"},
            ["'data.yaml' and 'classes.txt' name the classes otherwise; the first is taken."],
        ),
        (
            "yolo",
            with_files("images", "labels", lambda _: "0 .1 .1 .9 .1 .9 .9 .1 .9")
            | {"labels/1.txt": "1" + " .5 .1" * 4},
            ["Each object has four corners: its box is oriented, or a polygon."],
        ),
    ],
    ids=["lost", "broken", "two folders", "shared", "class without a name", "other names", "oriented"],
)
def test_what_speaks_against_a_reading_is_said(tmp_path: Path, kind: str, files: Files, doubts: list[str]) -> None:
    found = find(archive(tmp_path, files))[kind]
    assert len(found[0].doubts) == len(doubts)
    assert all(doubt in said for doubt, said in zip(doubts, found[0].doubts, strict=True))


def test_of_many_annotation_files_some_are_drawn_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey_objects, "LOOKED_AT", 20)
    (reading,) = find(archive(tmp_path, with_files("images", "annotations", voc, count=40)))["voc"]
    assert reading.images == 40
    assert "20 of 40 images were drawn, and their annotations looked at; counts are of them." in reading.notes
    assert reading.aside["images"] == "its annotation leaves it out, or it has none"


@pytest.mark.parametrize("case", ["coco 2017", "voc in two folders", "yolo by parts"])
def test_with_a_manifest_images_are_read_as_before_and_annotations_not_at_all(
    tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, files, _, _ = SOUND[case]
    raw = archive(tmp_path, files)
    (reading,) = find(raw)[kind]
    assert reading.format is not None
    before = list(read(raw, reading.format))
    manifest = build_manifest(before)
    opened: list[str] = []
    monkeypatch.setattr(Archive, "read", lambda self, name, old=Archive.read: opened.append(name) or old(self, name))
    again = list(read_validated(raw, reading.format, manifest, [True] * len(before)))
    assert again == before
    assert all(name.endswith((".jpg", ".png")) for name in opened)


def test_case_layouts_are_read_or_say_why(shared_data: Path, tmp_path: Path) -> None:
    counts = {}
    for case in DETECTORS:
        raw = tmp_path / case
        raw.mkdir()
        (raw / "archive.zip").symlink_to(shared_data / "layouts" / case / "input/archive.zip")
        (reading,) = find(raw)[case]
        assert reading.format is not None
        counts[case] = Counter(example.label for example in read(raw, reading.format))
        assert reading.notes
    assert counts == {
        "coco": {"cat": 16, "dog": 16},
        "voc": {"cat": 20, "dog": 20},
        "yolo": {"cat": 16, "dog": 16},
    }
