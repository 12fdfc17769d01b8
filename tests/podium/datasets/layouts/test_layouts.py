"""`podium init`'s reading of random layouts, whose truth is known, and of the shapes of real datasets."""

import json
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from podium.config import load_params
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.detect import survey
from podium.datasets.inventory import list_files, take_inventory
from podium.datasets.sources import fetch
from podium.datasets.starter import init_page
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError
from tests.conftest import TEST_DATA
from tests.podium.datasets.layouts.generator import Layout, differences, make_layout

LAYOUTS = 500
SOAKED = 20_000
LEAST_READ = 0.65
"""Of random layouts: so that refusing all of them does not pass."""
CASES = 74
LEAST_CASES_READ = 48
"""Of the shapes of real datasets; more than twenty have no right reading, or are rightly asked about."""


@dataclass(frozen=True)
class Outcome:
    """What became of a layout: read, refused, told (what differs is said) or wrong."""

    verdict: str
    text: str


def look(layout: Layout, raw: Path) -> Outcome:
    """Read a layout as `podium init` does, and hold it against the truth."""
    raw.mkdir()
    shutil.copy(layout.archive, raw / "archive.zip")
    with Archive(raw) as archive:
        try:
            found = survey(archive)
        except PodiumError as error:
            return Outcome("refused" if len(str(error)) > 40 else "wrong", str(error))
        manifest = build_manifest(read(raw, found.format))
        inventory = take_inventory(archive, found.format, manifest["id"])
        assert inventory.images + inventory.tables + inventory.left == len([*list_files(archive)])
    differing = differences(layout, manifest)
    wrong = [each for each in differing if "left out" not in each]
    if wrong and all("part " in each for each in wrong) and any("split" in note for note in found.notes):
        wrong = []  # that a list of a split is not used was said
    verdict = "read" if not differing else "wrong" if wrong or not inventory.left else "told"
    return Outcome(verdict, f"{layout}\n{found.format}\n{found.notes}\n{(wrong or differing)[:2]}")


def count(seeds: range, folder: Path) -> Counter[str]:
    """Count what becomes of layouts; none may be wrong."""
    verdicts: Counter[str] = Counter()
    for seed in seeds:
        place = folder / str(seed)
        outcome = look(make_layout(seed, place), place / "raw")
        assert outcome.verdict != "wrong", outcome.text
        verdicts[outcome.verdict] += 1
        shutil.rmtree(place)
    return verdicts


def test_random_layouts_are_read_right_or_it_is_said_why_not(tmp_path: Path) -> None:
    verdicts = count(range(60), tmp_path)
    assert verdicts["read"] >= LEAST_READ * verdicts.total()


@pytest.mark.slow
def test_five_hundred_random_layouts_are_read_right_or_it_is_said_why_not(tmp_path: Path) -> None:
    verdicts = count(range(60, LAYOUTS), tmp_path)
    assert verdicts["read"] >= LEAST_READ * verdicts.total()


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, SOAKED, SOAKED // 8))
def test_twenty_thousand_random_layouts_are_read_right_or_it_is_said_why_not(tmp_path: Path, start: int) -> None:
    verdicts = count(range(LAYOUTS + start, LAYOUTS + start + SOAKED // 8), tmp_path)
    assert verdicts["read"] >= LEAST_READ * verdicts.total()


# the shapes of real datasets ------------------------------------------------------------------------------


def cases() -> list[Path]:
    """Folders with an input and its truth."""
    return sorted(path.parent for path in (TEST_DATA / "layouts").glob("*/truth.json"))


def judge_case(case: Path, project: Path) -> Outcome:
    """Make a page for a case, read the dataset by it, and hold that against the truth."""
    truth = json.loads((case / "truth.json").read_text(encoding="utf-8"))
    name = case.name.replace("_", "-")
    try:
        draft = init_page(project, str(case / "input" / truth["input"]), project, name=name, force=True)
    except PodiumError as error:
        return Outcome("refused", f"{error} {error.hint}")
    dataset, raw = load_params().dataset(name), project / "data" / "again"
    raw.mkdir(parents=True)
    fetch(dataset.source, raw, project / "data")
    manifest = build_manifest(read(raw, dataset.format))
    differing = compare(truth["truth"], manifest) if truth["truth"] else []
    said = [*draft.notes, *draft.problems]
    return Outcome("read" if not differing else "told" if said else "wrong", f"{differing[:3]} {said}")


def compare(truth: dict[str, list[str | None]], manifest: pd.DataFrame) -> list[str]:
    """Say what is wrong in a manifest."""
    wrong = []
    for row in manifest.itertuples():
        if row.sha256 not in truth:
            if pd.isna(row.fault):
                wrong.append(f"{row.id}: no image of the dataset")
            continue
        label, part = truth[row.sha256]
        if label not in (None, row.label) or part not in (None, row.part or "train"):
            wrong.append(f"{row.id}: label '{row.label}', part '{row.part}', truth {label}, {part}")
    return wrong + [f"left out: {truth[sha]}" for sha in truth.keys() - {*manifest["sha256"]}]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_shape_of_a_real_dataset_is_read_right_or_it_is_said_why_not(case: Path, project: Path) -> None:
    outcome = judge_case(case, project)
    assert outcome.verdict != "wrong", outcome.text


@pytest.mark.slow
def test_most_shapes_of_real_datasets_are_read(
    shared_data: Path, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts: Counter[str] = Counter()
    for case in cases():
        place = tmp_path / case.name
        place.mkdir()
        shutil.copy(project / "params.yaml", place)
        monkeypatch.chdir(place)
        verdicts[judge_case(case, place).verdict] += 1
    assert verdicts.total() == CASES
    assert verdicts["read"] >= LEAST_CASES_READ, verdicts
