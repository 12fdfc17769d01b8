"""What becomes of a layout whose truth is known, when it is read as `podium init` reads it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from podium.config import load_params
from podium.datasets.archive import Archive
from podium.datasets.formats import read
from podium.datasets.formats.detect import survey
from podium.datasets.formats.image_files import list_files
from podium.datasets.inventory import take_inventory
from podium.datasets.sources import fetch
from podium.datasets.starter import init_page
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError
from tests.conftest import TEST_DATA
from tests.podium.datasets.layouts.generator import Layout, differences


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
        assert inventory.images + inventory.tables + inventory.left == len(list_files(archive, []))
    differing = differences(layout, manifest)
    wrong = [each for each in differing if "left out" not in each]
    if wrong and all("part " in each for each in wrong) and any("split" in note for note in found.notes):
        wrong = []  # that a list of a split is not used was said
    verdict = "read" if not differing else "wrong" if wrong or not inventory.left else "told"
    return Outcome(verdict, f"{layout}\n{found.format}\n{found.notes}\n{(wrong or differing)[:2]}")


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
