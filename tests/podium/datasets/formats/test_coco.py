import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from podium.config.datasets import CocoFormat
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.coco import annotations, stream
from podium.datasets.formats.coco.annotations import read_table
from podium.datasets.formats.coco.stream import elements
from podium.errors import PodiumError
from tests.podium.datasets.formats.boxed import archive, coco, image

BOX = (2, 3, 10, 8)
LAYOUT = CocoFormat(kind="coco", folders={"train": "train"}, annotations={"train": "train.json"}, objects="one")
LARGEST = CocoFormat(kind="coco", folders={"train": "train"}, annotations={"train": "train.json"}, objects="largest")


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    """A JSON of two images with one object each, changed."""
    content = json.loads(coco({"1.jpg": [("cat", BOX)], "2.jpg": [("dog", BOX)]}))
    change(content)
    return json.dumps(content)


def faults(raw: Path, layout: CocoFormat = LAYOUT) -> dict[str, str]:
    return {example.id: example.fault for example in read(raw, layout) if example.fault}


def test_images_with_one_object_have_its_label_and_box(tmp_path: Path) -> None:
    things = {
        "a/3.jpg": [("dog", BOX)],
        "2.jpg": [("cat", BOX), ("dog", (0, 0, 20, 20))],
        "1.jpg": [("cat", (0.5, 0, 3, 4))],
        "4.jpg": [],
    }
    files = {"train/1.jpg": "", "train/2.jpg": "", "train/a/3.jpg": "", "train/4.jpg": "", "train/5.jpg": ""}
    raw = archive(tmp_path, {**files, "train.json": coco(things)})
    found = [(e.id, e.part, e.label, e.box, e.fault) for e in read(raw, LAYOUT)]
    one = [
        ("train/1.jpg", "train", "cat", (0.5, 0.0, 3.0, 4.0), ""),
        ("train/a/3.jpg", "train", "dog", (2.0, 3.0, 10.0, 8.0), ""),
    ]
    assert found == one
    assert [(e.id, e.label) for e in read(raw, LARGEST)] == [
        ("train/1.jpg", "cat"),
        ("train/2.jpg", "dog"),
        ("train/a/3.jpg", "dog"),
    ]


def test_images_without_labels_are_read_last(tmp_path: Path) -> None:
    raw = archive(tmp_path, {"test/9.jpg": "", "train/1.jpg": "", "train.json": coco({"1.jpg": [("cat", BOX)]})})
    layout = CocoFormat(
        kind="coco",
        folders={"train": "train", "unlabelled": "test"},
        annotations={"train": "train.json"},
        objects="one",
    )
    assert [(e.id, e.part, e.label) for e in read(raw, layout)] == [
        ("train/1.jpg", "train", "cat"),
        ("test/9.jpg", "unlabelled", ""),
    ]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda c: c["annotations"][0].update(category_id=7),
            "its category 7 is not among the categories of train.json",
        ),
        (
            lambda c: c["annotations"][0].update(bbox=[0, 0, -1, 1]),
            "an object has the box [0, 0, -1, 1]; expected left",
        ),
        (lambda c: c["annotations"][0].update(bbox="x"), "an object has the box x"),
        (lambda c: c["annotations"][0].update(bbox=[0, 0, float("nan"), 1]), "an object has the box"),
        (lambda c: c["images"][0].update(id=1), "train.json has 2 images with its id 1"),
    ],
)
def test_what_is_wrong_with_an_image_is_its_fault(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], fault: str
) -> None:
    raw = archive(tmp_path, {"train/1.jpg": "", "train/2.jpg": "", "train.json": changed(change)})
    told = [*faults(raw, LARGEST).values()]
    assert told
    assert fault in told[0]


def test_an_image_that_is_named_and_not_there_is_a_fault_if_it_would_be_used(tmp_path: Path) -> None:
    things = {"1.jpg": [("cat", BOX)], "2.jpg": [("dog", BOX)], "3.jpg": [], "4.jpg": [("cat", BOX), ("dog", BOX)]}
    raw = archive(tmp_path, {"train/1.jpg": "", "train.json": coco(things)})
    assert faults(raw) == {"train/2.jpg": "train.json names it, but it is not in the archive"}


def test_an_image_that_is_named_twice_has_the_objects_of_both(tmp_path: Path) -> None:
    def twice(content: dict[str, Any]) -> None:
        content["images"][1]["file_name"] = ".\\1.jpg"

    raw = archive(tmp_path, {"train/1.jpg": "", "train.json": changed(twice)})
    assert [e.label for e in read(raw, LAYOUT)] == []
    assert [e.label for e in read(raw, LARGEST)] == ["cat"]


def test_a_crowd_is_no_object(tmp_path: Path) -> None:
    raw = archive(
        tmp_path,
        {"train/1.jpg": "", "train/2.jpg": "", "train.json": changed(lambda c: c["annotations"][0].update(iscrowd=1))},
    )
    assert [e.id for e in read(raw, LARGEST)] == ["train/2.jpg"]


def test_a_label_needs_no_box_and_ids_may_be_texts(tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        del content["annotations"][0]["bbox"]
        content["annotations"][1] |= {"bbox": [], "image_id": "1"}

    raw = archive(tmp_path, {"train/1.jpg": "", "train/2.jpg": "", "train.json": changed(change)})
    assert [(e.label, e.box) for e in read(raw, LAYOUT)] == [("cat", None), ("dog", None)]


def test_boxes_drawn_on_the_stored_image_turn_with_it(tmp_path: Path) -> None:
    raw = archive(tmp_path, {"train/1.jpg": image(orientation=6), "train.json": coco({"1.jpg": [("cat", BOX)]})})
    assert [e.box for e in read(raw, LAYOUT)] == [(9.0, 2.0, 8.0, 10.0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "where '{' is expected"),
        ('{"images": [', "what begins with '' is"),
        ('{"images": [1 2]}', r"its images have 1"),
        ('{"images": []} x', "lacks images and annotations and categories"),
        ('{"images": [{"id": 1, "file_name": "1.jpg"}]}', "lacks annotations and categories"),
        ('{"images": [{"id": 1}]}', r"its images have \{'id': 1\}"),
        ('{"categories": [{"id": 1, "name": " "}]}', "its categories have"),
        ('{"a": ' + "[" * 100_000, "beyond all measure"),
        ('{"a": 1' + "0" * 5000, "no COCO JSON"),
        ('{"a" 1}', "where ':' is expected"),
        ('{"a": "\ud800"}'.encode("utf-8", "surrogatepass"), "no COCO JSON"),
    ],
)
def test_a_json_that_is_not_cocos_is_refused(tmp_path: Path, text: str | bytes, words: str) -> None:
    with (
        Archive(archive(tmp_path, {"train.json": text})) as opened,
        pytest.raises(PodiumError, match=f"'train.json' is no COCO JSON.*{words}" if "no COCO" not in words else words),
    ):
        read_table(opened, "train.json")


def test_a_json_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "MAX_BYTES", 10)
    with (
        Archive(archive(tmp_path, {"train.json": coco({})})) as opened,
        pytest.raises(PodiumError, match=r"of 10 at most. Take the polygons"),
    ):
        read_table(opened, "train.json")


def test_more_images_than_can_be_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "MAX_IMAGES", 1)
    text = changed(lambda content: None)
    with Archive(archive(tmp_path, {"train.json": text})) as opened, pytest.raises(PodiumError, match="more than 1 "):
        read_table(opened, "train.json")


def test_a_json_is_read_through_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "CHUNK", 7)
    monkeypatch.setattr(stream, "MAX_ELEMENT", 30)
    content = {"info": {"year": 2026}, "a": [{"b": number} for number in range(50)], "none": [], "ü": ["ä", None]}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    found: dict[str, list[object]] = {}
    for key, element in elements(io.BytesIO(b"\xef\xbb\xbf" + text.encode())):
        found.setdefault(key, []).append(element)
    assert found == {"info": [{"year": 2026}], "a": content["a"], "ü": ["ä", None]}
    with pytest.raises(ValueError, match="longer than 30 characters, or broken"):
        list(elements(io.BytesIO(json.dumps({"a": ["x" * 99]}).encode())))


@pytest.mark.parametrize("annotated", [{"test": "b"}, {"train": "b", "test": "c"}, {"train": "b", "unlabelled": "c"}])
def test_every_part_with_labels_needs_its_annotations(annotated: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="name the same parts"):
        CocoFormat(kind="coco", folders={"train": "a", "unlabelled": "d"}, annotations=annotated, objects="one")
