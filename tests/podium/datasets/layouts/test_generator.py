"""The generator of layouts: what it makes is what it says, and its judge tells right from wrong."""

import hashlib
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.podium.datasets.layouts.generator import KINDS, Layout, differences, judge, make_layout

SEEDS = range(60)


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> list[Layout]:
    folder = tmp_path_factory.mktemp("layouts")
    return [make_layout(seed, folder) for seed in SEEDS]


def read_right(layout: Layout, number: int = 0) -> pd.DataFrame:
    """The manifest of a reading that is right in every row."""
    rows = [
        (layout.paths[sha], sha, label or "", part or "", None) for sha, (label, part) in layout.truths[number].items()
    ]
    return pd.DataFrame(rows, columns=["id", "sha256", "label", "part", "fault"])


def test_a_seed_gives_the_same_archive_and_truth_and_another_seed_another(tmp_path: Path) -> None:
    for seed in range(6):
        once, again = make_layout(seed, tmp_path / "a"), make_layout(seed, tmp_path / "b")
        assert once.archive.read_bytes() == again.archive.read_bytes()
        assert (once.truths, once.traits) == (again.truths, again.traits)
    assert make_layout(1, tmp_path).truth != make_layout(2, tmp_path).truth


def test_every_image_of_the_truth_lies_where_its_path_says(layouts: list[Layout]) -> None:
    for layout in layouts:
        with zipfile.ZipFile(layout.archive) as archive:
            assert archive.testzip() is None
            assert len(archive.namelist()) == len(set(archive.namelist())), layout
            found = {sha: hashlib.sha256(archive.read(path)).hexdigest() for sha, path in layout.paths.items()}
        assert all(sha == digest for sha, digest in found.items()), layout
        assert all(truth.keys() == layout.paths.keys() for truth in layout.truths), layout


def test_there_is_every_kind_and_each_has_at_least_two_labels(layouts: list[Layout]) -> None:
    assert {layout.kind for layout in layouts} == {*KINDS}
    for layout in layouts:
        assert len({label for label, _ in layout.truth.values()} - {None}) >= 2, layout


def test_a_right_reading_is_read_by_each_of_its_truths(layouts: list[Layout]) -> None:
    for layout in layouts:
        for number in range(len(layout.truths)):
            assert differences(layout, read_right(layout, number)) == [], layout
            assert judge(layout, read_right(layout, number), []) == "read"


@pytest.mark.parametrize("fault", ["label", "part", "left out", "no image", "twice"])
def test_what_differs_is_silent_without_a_word_and_told_with_one(layouts: list[Layout], fault: str) -> None:
    layout = next(one for one in layouts if any(part == "test" for _, part in one.truth.values()))
    manifest = read_right(layout)
    row = manifest.index[manifest["part"] == "test"][0]
    match fault:
        case "label":
            manifest.loc[row, "label"] = "another"
        case "part":
            manifest.loc[row, "part"] = "train"
        case "left out":
            manifest = manifest.drop(index=row)
        case "no image":
            manifest.loc[row, "sha256"] = "0" * 64
        case "twice":
            manifest = pd.concat([manifest, manifest.loc[[row]]])
    assert differences(layout, manifest) != []
    assert judge(layout, manifest, [""]) == "SILENT"
    assert judge(layout, manifest, ["1 image is left aside."]) == "told"


def test_a_faulty_row_accounts_for_its_file_and_a_message_is_a_refusal(layouts: list[Layout]) -> None:
    manifest = read_right(layouts[0])
    manifest["fault"] = manifest["fault"].astype("str")
    manifest.loc[0, ["sha256", "fault"]] = ["", "it is damaged"]
    manifest.loc[1:, "fault"] = pd.NA
    assert judge(layouts[0], manifest, []) == "read"
    assert judge(layouts[0], "The archive holds several layouts.", []) == "refused"
