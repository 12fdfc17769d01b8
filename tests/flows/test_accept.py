"""Accepting a version of a dataset, and being told what the next one lacks; with real DVC and git."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from podium.git import find_commit
from podium.serving.feedback import Feedback, Said
from podium.workspace.clone import check_out, isolated_clone
from tests.flows.workspace import Workspace
from tests.makers import CLASSES, make_page, make_rows, make_table
from tests.podium.serving.test_feedback import draw

pytestmark = pytest.mark.slow

ROWS = make_rows(300)
LOST = [row for row in ROWS if row[0] != "2"] + [row for row in ROWS if row[0] == "2"][:60]
"""Without 40 of the 100 images of `both`."""


@pytest.fixture
def dots(tmp_path: Path) -> Workspace:
    project = Workspace(tmp_path / "project")
    make_page(project.root, make_table(ROWS))
    project.commit("dots")
    return project


def deliver(project: Workspace, rows: list[list[str]]) -> None:
    """Put a new version of the table where the page says; DVC is told that the archive is another."""
    (project.root / "incoming/train.csv").write_text(make_table(rows))
    project.run("dvc", "repro", "--force", "download@dots")


def validation(project: Workspace) -> dict:  # type: ignore[type-arg]
    page: dict = yaml.safe_load((project.root / "params.yaml").read_text())  # type: ignore[type-arg]
    found: dict = page["datasets"]["dots"]["validation"]  # type: ignore[type-arg]
    return found


def edit_page(project: Workspace, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    project.edit(lambda page: change(page["datasets"]["dots"]["validation"]))


@pytest.mark.soak  # without the shell: `tests/stages/test_stages.py`
def test_an_accepted_version_is_restored_where_it_is_missing_and_a_class_that_lost_images_stops_the_next_one(
    dots: Workspace,
) -> None:
    said = dots.run("podium", "validate", "--infer", "--accept")
    assert "reports/dots/validation/index.html" in said
    assert "critical: lost_per_class 0.2" in said
    found = validation(dots)
    assert found["critical"] == {"minimum_per_class": 50, "exact_duplicates": 0.0, "lost_per_class": 0.2}
    assert len(found["accepted"]) == 64
    pointer = yaml.safe_load((dots.root / "data/accepted/dots.parquet.dvc").read_text())
    assert pointer["outs"][0]["path"] == "dots.parquet"
    dots.commit("accepted")
    tracked = dots.run("git", "ls-files", "data").split()
    assert tracked == [
        "data/README.md",
        "data/accepted/.gitignore",
        "data/accepted/dots.parquet.dvc",
        "data/additions.csv",
        "data/review.csv",
    ]

    (dots.root / "data/accepted/dots.parquet").unlink()
    said = dots.run("podium", "validate", "dots", status=1)
    assert "it is not here" in said
    assert "`dvc checkout data/accepted/dots.parquet.dvc`" in said
    dots.run("dvc", "checkout", "data/accepted/dots.parquet.dvc")
    dots.run("podium", "validate", "dots")  # the same data as was accepted
    drift = json.loads((dots.root / "reports/dots/validation/drift.json").read_text())
    assert (drift["added"]["count"], drift["removed"]["count"]) == (0, 0)

    deliver(dots, LOST)
    said = dots.run("podium", "validate", "dots", status=1)
    assert "no class lost more than 0.2 of its images since the accepted version, in 1 rows: both in train" in said
    assert "(lost 0.4)" in said
    drift = json.loads((dots.root / "reports/dots/validation/drift.json").read_text())
    assert (drift["added"]["count"], drift["removed"]["count"]) == (0, 40)

    edit_page(dots, lambda found: found.update(accepted="0" * 64))
    assert "and the page names 0000" in dots.run("podium", "validate", "dots", status=1)
    edit_page(dots, lambda found: found.pop("accepted"))
    dots.run("podium", "validate", "dots", "--accept")


@pytest.mark.soak  # what a decision does: `tests/podium/datasets/validation/test_quarantine.py`
def test_a_decision_in_the_reviewed_file_is_followed_and_taken_back(dots: Workspace) -> None:
    dots.run("dvc", "repro", "preprocess@dots")
    manifests = dots.root / "reports/dots/validation/quarantine.csv"
    before = (dots.root / "data/processed/dots/split.csv").read_bytes()
    described = (dots.root / "reports/dots/croissant.json").read_bytes()
    digest = before.decode().splitlines()[1].split(",")[1]
    review = dots.root / "data/review.csv"
    shipped = review.read_text()
    review.write_text(f"{shipped}dots,train.csv:2,{digest},leave_out,looks odd\n")
    dots.run("dvc", "repro", "preprocess@dots")
    assert manifests.read_text().splitlines()[1] == f"dots,train.csv:2,{digest},leave_out,reviewed"
    assert "train.csv:2," in (dots.root / "data/processed/dots/split.csv").read_text()
    assert ",quarantined,reviewed" in (dots.root / "data/processed/dots/split.csv").read_text()
    assert '"splits/name": "quarantined"' in (dots.root / "reports/dots/croissant.json").read_text()
    review.write_text(shipped)
    dots.run("dvc", "repro", "preprocess@dots")
    assert (dots.root / "data/processed/dots/split.csv").read_bytes() == before
    assert (dots.root / "reports/dots/croissant.json").read_bytes() == described


def test_an_accepted_label_is_in_git_and_dvc_and_so_in_every_clone(dots: Workspace) -> None:
    feedback = Feedback(dots.root, "dots")
    digest = feedback.keep(draw(), "both", [Said("dots/1", "left", 0.9, unsure=False)], [*CLASSES.values()]).sha256
    said = dots.run("podium", "feedback", "dots", "--accept", digest[:10])
    (added,) = (line.partition("git add ")[2] for line in said.splitlines() if "git add " in line)
    dots.run("git", "add", *added.split())
    dots.commit("a label")
    assert dots.run("git", "status", "--porcelain") == ""
    assert dots.run("git", "ls-files", "data/additions").split() == [
        "data/additions/.gitignore",
        "data/additions/dots.dvc",
    ]
    commit = find_commit(dots.root)
    assert commit is not None
    with isolated_clone(dots.root, commit) as clone:
        check_out(clone)
        assert (clone / f"data/additions/dots/{digest}.png").read_bytes() == draw()
    assert "1 of the images are accepted labels" in dots.run("dvc", "repro", "validate@dots")
    listed = (dots.root / "reports/dots/validation/inventory.csv").read_text()
    assert f"additions/{digest}.png" in listed


def test_a_dataset_that_is_not_named_well_gets_one_message(dots: Workspace) -> None:
    assert "Did you mean 'dots'?" in dots.run("podium", "validate", "dot", status=1)
