import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import ArchiveSource, Dataset, Image, PixelCsvFormat, StratifiedSplit
from podium.config.limits import Limits, Validation
from podium.datasets.validation.drift import compare
from podium.datasets.validation.findings import Finding, Inspection
from podium.datasets.validation.report import choose_rows, write_page
from podium.pages.histograms import WIDTH, draw_histograms, format_number
from tests.pages import Page

CLASSES = {"0": "cat", "1": "dog", "2": "newt"}
HOSTILE = [
    "<script>alert(1)</script>.jpg",
    "\"onload='alert(2)'.jpg",
    "</style></title><img src=https://example.org/x.png>",
    "{{ 7 * 7 }}{% raw %}",
    "line\nbreak\x00\u202egpj.exe",
    "صورة.jpg",
    "very/long/" + "x" * 5000 + ".jpg",
]
HALF = "half a character \udcff.jpg"


LIGHT = ("Brightness", "brightness", "mean gray value, 0 to 255", False)


def make_dataset(classes: dict[str, str] = CLASSES) -> Dataset:
    return Dataset(
        source=ArchiveSource(kind="archive", path="incoming"),
        format=PixelCsvFormat(kind="pixel_csv", files={"train": "train.csv"}, label_column="label"),
        target="label",
        classes=classes,
        image=Image(height=28, width=28, channels=1, resize="stretch"),
        split=StratifiedSplit(kind="stratified", validation=0.2, test=0.2, seed=0),
        validation=Validation(duplicate_distance=20, quarantine=0.0, critical=Limits(), warning=Limits()),
        reference=[],
    )


def make_manifest(count: int = 60, **changes: Any) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    rows = np.arange(count)
    missing = pd.Series([None] * count, dtype="str")
    manifest = pd.DataFrame(
        {
            "id": [f"train/{row}.jpg" for row in rows],
            "part": "train",
            "label": (rows % 3).astype(str),
            "format": "JPEG",
            "mode": "RGB",
            "height": generator.integers(100, 400, count),
            "width": generator.integers(100, 400, count),
            "channels": 3,
            "bytes": generator.integers(1000, 90_000, count),
            "darkest": 0,
            "brightest": 255,
            "brightness": generator.uniform(1, 254, count),
            "contrast": generator.uniform(1, 90, count),
            "sharpness": generator.lognormal(5, 1, count),
            **dict.fromkeys(("red", "green", "blue"), 100.0),
            "sha256": [f"{row:064x}" for row in rows],
            "hash": "",
            "group": rows,
            **dict.fromkeys(("box_left", "box_top", "box_width", "box_height"), np.nan),
            **dict.fromkeys(("notice", "fault", "left_out"), missing),
        }
    )
    return manifest.assign(**changes)


def make_pairs(*rows: tuple[int, int, int, bool, bool], leaks: bool) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["row", "twin", "distance", "flipped", "exact"])
    return table.assign(split="test", twin_split="train") if leaks else table


def make_inspection(manifest: pd.DataFrame | None = None, **changes: Any) -> Inspection:
    manifest = make_manifest() if manifest is None else manifest
    names = np.array(["train", "train", "train", "validation", "test"])
    keys: dict[str, Any] = {
        "name": "pets",
        "dataset": make_dataset(),
        "manifest": manifest,
        "splits": pd.Series(names[np.arange(len(manifest)) % 5], index=manifest.index),
        "leaks": make_pairs(leaks=True),
        "conflicts": make_pairs(leaks=False),
        "drift": None,
        "findings": [Finding("every image can be decoded", "critical", success=True, count=0, examples=[])],
        "suites": [],
    }
    return Inspection(**(keys | changes))


def write(inspection: Inspection, folder: Path, thumbnails: dict[int, bytes] | None = None) -> str:
    if thumbnails is None:
        thumbnails = {row: b"thumbnail %d" % row for row in choose_rows(inspection)}
    write_page(inspection, thumbnails, folder / "index.html")
    return (folder / "index.html").read_text(encoding="utf-8")


def make_full_inspection() -> Inspection:
    """An inspection with something in every section."""
    manifest = make_manifest()
    before = manifest.drop(index=[0, 1]).assign(label=manifest["label"].where(manifest.index != 5, "0"))
    manifest.loc[7, ["fault", "left_out", "width"]] = ["the image cannot be decoded", "unreadable", 0]
    manifest.loc[8, "left_out"] = "reviewed"
    manifest.loc[9, "notice"] = "it is animated; its first frame is used"
    manifest.loc[[12, 13, 14], "group"] = 11
    splits = make_inspection().splits
    splits[[7, 8]] = "quarantined"
    return make_inspection(
        manifest,
        splits=splits,
        leaks=make_pairs((4, 0, 0, False, True), (9, 1, 7, True, False), leaks=True),
        conflicts=make_pairs((20, 21, 3, False, False), (21, 20, 3, False, False), leaks=False),
        drift=compare(before, manifest),
        findings=[
            Finding("no image is odd", "warning", success=False, count=12, examples=["a.jpg: it is animated"]),
            Finding("every image can be decoded", "critical", success=False, count=1, examples=["b.jpg"]),
            Finding("every label is known", "critical", success=True, count=0, examples=[]),
        ],
    )


@pytest.mark.parametrize(
    ("level", "success", "words", "advice"),
    [
        ("critical", True, "Passed", "There is nothing to do"),
        ("warning", False, "Passed with warnings", "The pipeline goes on"),
        ("critical", False, "Failed", "The pipeline stops here"),
    ],
)
def test_the_verdict_is_a_word_and_says_what_to_do(
    level: str, success: bool, words: str, advice: str, tmp_path: Path
) -> None:
    findings = [Finding("all is well", level, success=success, count=1, examples=[])]
    text = write(make_inspection(findings=findings), tmp_path)
    assert re.search(rf'<p class="word">.*</svg>\s*{words}</p>', text, re.DOTALL)
    assert advice in text


@pytest.mark.parametrize("inspection", [make_inspection(), make_full_inspection()], ids=["plain", "full"])
def test_the_page_is_well_formed_and_asks_nobody_for_anything(inspection: Inspection, tmp_path: Path) -> None:
    text = write(inspection, tmp_path)
    page = Page(text)
    anchors = [link[1:] for tag, link in page.links if tag == "a"]
    assert sorted(page.ids) == sorted(set(page.ids))
    assert set(anchors) <= set(page.ids)
    assert len(anchors) > 10
    assert all(link.startswith(("#", "data:")) for _, link in page.links)
    assert not page.tags & {"script", "iframe", "object", "embed", "form", "base"}
    assert not page.events
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    assert "//" not in re.sub(r'"data:[^"]*"', "", text)
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in text


def test_every_section_shows_what_there_is(tmp_path: Path) -> None:
    page = Page(write(make_full_inspection(), tmp_path))
    for words in (
        "every image can be decoded critical 1 case b.jpg no image is odd warning 12 cases",
        "and 11 more",
        "What holds: 1 expectation",
        "cat 12 4 4 0 20 dog 11 4 4 1 20 newt 12 3 4 1 20",
        "it is animated; its first frame is used",
        "test train 2 1 1",
        "the same bytes",
        "7 of 256 bits differ, flipped",
        "2 images duplicate one with another label",
        "4 images have near-duplicates, and make 1 group.",
        "4 to 10 1 4",
        "1 left out in data/review.csv ( reviewed ), 1 cannot be read ( unreadable )",
        "2 added, 2 removed, 1 with another label, 0 in another part.",
        "was cat, is newt",
    ):
        assert words in page.text, words
    assert page.text.count("3 of 256 bits differ") == 1  # the pair is in the table both ways


def test_names_of_strangers_are_text(tmp_path: Path) -> None:
    manifest = make_manifest()
    for row, name in enumerate(HOSTILE):
        manifest.loc[row, ["id", "label", "notice", "left_out"]] = [name, name, name, name]
        manifest.loc[row + 20, ["id", "label", "notice"]] = [name, name, name]
    before = manifest.drop(index=range(len(HOSTILE))).assign(label="<b>old</b>")
    inspection = make_inspection(
        manifest,
        dataset=make_dataset({**CLASSES, HOSTILE[0]: "<u>class</u>"}),
        name="<i>pets</i>",
        leaks=make_pairs(*((row + 20, row, 0, False, True) for row in range(len(HOSTILE))), leaks=True),
        conflicts=make_pairs(*((row + 20, row, 0, False, True) for row in range(len(HOSTILE))), leaks=False),
        drift=compare(before, manifest.assign(left_out=pd.Series([None] * 60, dtype="str"))),
        findings=[Finding("<em>all</em> is well", "warning", success=False, count=8, examples=[*HOSTILE, HALF])],
    )
    text = write(inspection, tmp_path)
    page = Page(text)
    assert not page.tags & {"script", "u", "i", "em"}
    assert all(link.startswith(("#", "data:")) for _, link in page.links)
    assert not page.events
    for words in ("<script>alert(1)</script>.jpg", "<u>class</u>", "{{ 7 * 7 }}", r"line\nbreak\x00\u202egpj.exe"):
        assert words in page.text
    assert r"half a character \udcff.jpg" in page.text
    assert "صورة.jpg" in page.text
    assert "x" * 300 not in text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", text)


def test_the_same_inspection_gives_the_same_bytes(tmp_path: Path) -> None:
    assert write(make_full_inspection(), tmp_path) == write(make_full_inspection(), tmp_path)


def test_what_is_empty_is_a_sentence(tmp_path: Path) -> None:
    page = Page(write(make_inspection(), tmp_path))
    for words in (
        "Nothing: whatever is expected of the dataset holds.",
        "No image is odd in any way.",
        "No validation or test image duplicates a training image.",
        "No near-duplicates have different labels.",
        "There are no near-duplicates.",
        "No image is left out.",
        "podium validate pets --accept",
    ):
        assert words in page.text
    unchanged = compare(make_manifest(), make_manifest())
    page = Page(write(make_inspection(drift=unchanged), tmp_path))
    assert "Nothing: the same images, with the same labels, in the same parts." in page.text


@pytest.mark.parametrize("count", [0, 1, 5])
def test_no_image_at_all_is_no_reason_to_fail(count: int, tmp_path: Path) -> None:
    manifest = make_manifest(count).assign(fault="the file is empty", label="", height=0, width=0)
    assert "No image can be used" in Page(write(make_inspection(manifest), tmp_path)).text


def test_every_image_that_the_page_shows_was_chosen(tmp_path: Path) -> None:
    text = write(make_full_inspection(), tmp_path)
    assert "no thumbnail" not in text
    assert text.count('<img src="data:image/webp;base64,') > 60


def test_a_missing_thumbnail_leaves_its_reason(tmp_path: Path) -> None:
    text = write(make_full_inspection(), tmp_path, {})
    assert '<span class="blank">the image cannot be decoded</span>' in text
    assert '<span class="blank">no thumbnail</span>' in text


def test_unlabelled_images_and_unknown_labels_are_said(tmp_path: Path) -> None:
    manifest = make_manifest()
    manifest.loc[0, "label"] = "axolotl"
    manifest.loc[1:3, ["label", "part"]] = ["", "unlabelled"]
    inspection = make_inspection(manifest)
    inspection.splits[1:4] = "unlabelled"
    page = Page(write(inspection, tmp_path))
    assert "axolotl (not in the recipe) 1 0 0 1" in page.text
    assert "3 images have no label" in page.text


def test_a_split_that_failed_leaves_the_parts(tmp_path: Path) -> None:
    manifest = make_manifest(part="")
    assert "no split" in Page(write(make_inspection(manifest, splits=manifest["part"]), tmp_path)).text


@pytest.mark.parametrize("count", [100_000, pytest.param(1_000_000, marks=pytest.mark.soak)])
def test_many_images_of_a_thousand_classes_make_a_small_page(tmp_path: Path, count: int) -> None:
    rows = np.arange(count)
    few = make_manifest(1000)
    manifest = few.iloc[rows % 1000].reset_index(drop=True)
    manifest["id"] = pd.Series(rows).astype("str")
    manifest["label"] = (rows % 1000).astype(str)
    manifest["group"] = rows // 3 * 3
    manifest.loc[: count // 10 - 1, "group"] = 0
    manifest["notice"] = "it is odd"
    manifest.loc[::10, "left_out"] = "reviewed"
    pairs = pd.DataFrame({"row": rows, "twin": rows[::-1], "distance": 3, "flipped": False, "exact": False})
    inspection = make_inspection(
        manifest,
        dataset=make_dataset({str(label): f"class {label}" for label in range(1000)}),
        leaks=pairs[::2].assign(split="test", twin_split="train"),
        conflicts=pairs[::2],
        findings=[
            Finding(f"it is {n}", "warning", success=False, count=count, examples=HOSTILE * 9) for n in range(40)
        ],
    )
    chosen = choose_rows(inspection)
    assert 100 < len(chosen) <= 240
    text = write(inspection, tmp_path, dict.fromkeys(chosen, bytes(4000)))
    assert len(text.encode()) < 2_000_000
    for words in (
        f"{count:,}",
        "and 940 more classes",
        f"and {count - 10:,} more",
        f"and {count // 10 - 12:,} more",
        f"and {count * 3 // 10 - 7:,} more groups",
    ):
        assert words in text
    Page(text)


def test_the_measures_that_never_change_are_one_sentence(tmp_path: Path) -> None:
    text = Page(write(make_inspection(make_manifest(width=28, height=28)), tmp_path)).text
    assert "All images have the same width (28 pixels), height (28 pixels) and aspect (1)." in text


def test_a_histogram_shows_the_share_of_each_split() -> None:
    manifest = make_manifest(4, brightness=[0.0, 0.0, 0.0, 240.0])
    members = {"train": np.array([True, True, False, False]), "test": np.array([False, False, True, True])}
    _, histograms = draw_histograms(manifest, members, [LIGHT])
    one = next(one for one in histograms if one.title == "Brightness")
    assert list(one.lines) == ["train", "test"]
    assert one.top == 1  # all of train is in the first bin
    assert one.lines["train"][1][1] == 0
    assert one.lines["test"][1][1] == 45  # half of test
    assert one.lines["test"][-2][1] == 45
    assert one.lines["train"][-2][1] == 90
    assert (one.least, one.middle, one.greatest) == (0, 0, 240)
    assert [name for _, name in one.ticks] == ["0", "100", "200"]
    assert all(0 <= left <= WIDTH for left, _ in one.ticks)


def test_a_few_strange_images_do_not_hide_the_others_in_one_bin() -> None:
    manifest = make_manifest(1000)
    manifest.loc[0, "width"] = 1_000_000
    _, histograms = draw_histograms(manifest, {"train": np.ones(1000, bool)}, [("Width", "width", "pixels", False)])
    one = next(one for one in histograms if one.title == "Width")
    assert one.greatest == 1_000_000
    assert one.top < 0.2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567, "1,234,567"), (0.01234, "0.0123"), (56.78, "56.8"), (456.78, "457"), (float("nan"), "–")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert format_number(value) == text
