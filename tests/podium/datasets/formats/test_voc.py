from pathlib import Path

import pytest
from pydantic import ValidationError

from podium.config.datasets import VocFormat
from podium.datasets.formats import read
from podium.datasets.formats.objects import files as of_files
from podium.datasets.formats.voc.annotations import parse
from podium.errors import PodiumError
from tests.podium.datasets.formats.boxed import archive, voc

BOX = (2, 3, 10, 8)
FOLDERS = {"train": "JPEGImages"}
ANNOTATIONS = {"train": "Annotations"}
LAYOUT = VocFormat(kind="voc", folders=FOLDERS, annotations=ANNOTATIONS, objects="one")
LARGEST = VocFormat(kind="voc", folders=FOLDERS, annotations=ANNOTATIONS, objects="largest")


def make(tmp_path: Path, annotations: dict[str, str], *images: str) -> Path:
    """An archive with an image for each annotation, or with these images."""
    names = images or annotations
    return archive(
        tmp_path,
        {f"JPEGImages/{name}.jpg": "" for name in names}
        | {f"Annotations/{name}.xml": text for name, text in annotations.items()},
    )


def test_images_with_one_object_have_its_label_and_box(tmp_path: Path) -> None:
    two = [("cat", BOX), ("dog", (0, 0, 20, 20))]
    raw = make(tmp_path, {"2": voc(two), "1": voc([("cat", BOX)]), "a.b": voc([("dog", (0.5, 0, 3, 4))]), "3": voc([])})
    assert [(e.id, e.part, e.label, e.box, e.fault) for e in read(raw, LAYOUT)] == [
        ("JPEGImages/1.jpg", "train", "cat", (2.0, 3.0, 10.0, 8.0), ""),
        ("JPEGImages/a.b.jpg", "train", "dog", (0.5, 0.0, 3.0, 4.0), ""),
    ]
    assert [e.label for e in read(raw, LARGEST)] == ["dog", "cat", "dog"]


def test_the_xml_may_lie_beside_its_image(tmp_path: Path) -> None:
    raw = archive(tmp_path, {"train/1.jpg": "", "train/1.XML": voc([("cat", BOX)]), "train/2.jpg": ""})
    layout = VocFormat(kind="voc", folders={"train": "train"}, annotations={"train": "train"}, objects="one")
    assert [(e.id, e.label) for e in read(raw, layout)] == [("train/1.jpg", "cat")]


def test_parts_of_an_object_are_no_objects() -> None:
    part = "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part></object>"
    tally = parse(voc([("cat", BOX)]).replace("</object>", part).encode(), "1.xml")
    assert (tally.count, tally.fault, tally.largest and tally.largest.label) == (1, "", "cat")


def test_lists_say_which_images_are_whose_part(tmp_path: Path) -> None:
    files = {f"i/{n}.jpg": "" for n in range(4)} | {f"a/{n}.xml": voc([("cat", BOX)]) for n in range(4)}
    lists = {"train.txt": "1\r\n3.jpg\n\n", "test.txt": "./i/2.jpg\n1\n7\n"}
    raw = archive(tmp_path, {**files, **lists})
    layout = VocFormat(
        kind="voc",
        folders={"train": "i", "test": "i"},
        annotations={"train": "a", "test": "a"},
        objects="one",
        lists={"train": "train.txt", "test": "test.txt"},
    )
    assert [(e.id, e.part, e.fault) for e in read(raw, layout)] == [
        ("i/1.jpg", "train", ""),
        ("i/3.jpg", "train", ""),
        ("i/1.jpg", "test", ""),
        ("i/2.jpg", "test", ""),
        ("i/7", "test", "test.txt names it, but it is not in the archive"),
    ]


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><annotation>&b;</annotation>"""
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotation>&a;</annotation>'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BOMB, "1.xml is refused: XML that defines entities or loads others can do harm (EntitiesForbidden(name='a'"),
        (OUTSIDE, "1.xml is refused: XML that defines entities"),
        ("", "1.xml is not XML that can be read: no element found"),
        ("<annotation><object>", "1.xml is not XML that can be read"),
        ('<?xml version="1.0" encoding="x-none"?><annotation/>', "1.xml is not XML that can be read: unknown encoding"),
        ("<html/>", "1.xml has <html> where Pascal VOC has <annotation>"),
        ("<annotation><object/></annotation>", "object 1 of 1.xml has no name"),
        (
            voc([("cat", (5, 5, -3, 2))]),
            "object 1 of 1.xml has the box xmin 5, ymin 5, xmax 2, ymax 7; expected numbers",
        ),
        (voc([("cat", BOX)]).replace("<xmin>2", "<xmin>nan"), "object 1 of 1.xml has the box xmin nan"),
        (voc([("cat", BOX)]).replace("<xmin>2</xmin>", ""), "object 1 of 1.xml has the box xmin missing"),
    ],
)
def test_an_xml_that_cannot_be_understood_is_the_fault_of_its_image(text: str, fault: str) -> None:
    assert fault in parse(text.encode(), "1.xml").fault


def test_a_deep_xml_is_read_in_no_time() -> None:
    text = "<annotation>" + "<a>" * 100_000
    assert "is not XML that can be read" in parse(text.encode(), "1.xml").fault
    assert parse((text + "</a>" * 100_000 + "</annotation>").encode(), "1.xml").count == 0


@pytest.mark.parametrize("size", ["0", "-1", "inf", "nan", "big", ""])
def test_a_size_that_is_none_does_not_count(size: str) -> None:
    text = f"<annotation><size><width>{size}</width><height>20</height></size></annotation>"
    assert parse(text.encode(), "1.xml").size is None


def test_faults_stand_at_their_images_and_lost_images_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    annotations = {
        "1": "<annotation>",
        "2": voc([("cat", BOX)]),
        "4": voc([("dog", BOX)]),
        "5": voc([]),
        "6": "<other/>",
    }
    raw = make(tmp_path, annotations, "1", "2", "3")
    assert {e.id: e.fault for e in read(raw, LAYOUT)} == {
        "JPEGImages/1.jpg": "Annotations/1.xml is not XML that can be read: no element found: line 1, column 12",
        "JPEGImages/2.jpg": "",
        "Annotations/4.xml": "it is about an image that is not in the archive",
    }
    monkeypatch.setattr(of_files, "MAX_BYTES", 20)
    assert "2.xml has 252 bytes; an annotation has 20 at most" in [*read(raw, LAYOUT)][1].fault


def test_an_annotation_of_two_images_is_of_neither(tmp_path: Path) -> None:
    raw = archive(tmp_path, {"JPEGImages/1.jpg": "", "JPEGImages/1.png": "", "Annotations/1.xml": voc([("cat", BOX)])})
    assert [e.fault for e in read(raw, LAYOUT)] == [
        "'Annotations/1.xml' may be its annotation or that of 'JPEGImages/1.png'",
        "'Annotations/1.xml' may be its annotation or that of 'JPEGImages/1.jpg'",
    ]


def test_a_folder_without_xml_is_refused(tmp_path: Path) -> None:
    raw = archive(tmp_path, {"JPEGImages/1.jpg": "", "Annotations/1.txt": ""})
    with pytest.raises(PodiumError, match=r"'Annotations' of the archive of pets holds no \.xml file"):
        list(read(raw, LAYOUT))


def test_lists_are_of_the_same_parts() -> None:
    with pytest.raises(ValidationError, match="lists name the same parts as annotations"):
        VocFormat(kind="voc", folders=FOLDERS, annotations=ANNOTATIONS, objects="one", lists={"test": "a"})
