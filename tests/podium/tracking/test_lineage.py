import os
import subprocess
from pathlib import Path

import pytest

from podium.config import load_params
from podium.errors import PodiumError
from podium.tracking.lineage import describe_candidate, describe_source, read_intent, read_lineage

LOCK = """schema: '2.0'
stages:
  preprocess@digits:
    outs: [{path: data/processed/digits, md5: aaaa.dir}, {path: reports/digits/croissant.json, md5: ffff}]
  train@digits-cnn:
    outs: [{path: models/digits-cnn/model.keras, md5: bbbb}]
  evaluate@digits-cnn:
    outs: [{path: reports/digits/digits-cnn/metrics.json, md5: cccc}]
  confusion_matrix@digits-cnn:
    outs: [{path: reports/digits/digits-cnn/confusion_matrix.csv, md5: dddd}]
"""


def write_lock(project: Path, old: str = "", new: str = "") -> None:
    (project / "dvc.lock").write_text(LOCK.replace(old, new) if old else LOCK)


def test_params_are_flat_and_a_phase_prefixes_its_own(project: Path) -> None:
    params = describe_candidate(load_params(), "digits-cnn")
    assert params["model"] == "cnn"
    assert params["model.filters"] == "[16, 32]"
    assert params["fit.learning_rate"] == "0.003"
    assert params["augmentation"] == "rotate 10, shift 0.08, zoom 0.1"
    assert params["image"] == "8x8x1"


def test_an_augmentation_is_told_with_the_kinds_that_were_asked_for(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(params.read_text().replace("zoom: 0.1\n", "zoom: 0.1\n      flip: forced\n      contrast: 0.3\n"))
    told = describe_candidate(load_params(), "digits-cnn")["augmentation"]
    assert told == "rotate 10, shift 0.08, zoom 0.1, flip forced, contrast 0.3"


def test_what_is_not_asked_for_is_no_param(project: Path) -> None:
    params = load_params()
    dense, cnn = (describe_candidate(params, name) for name in ("digits-dense", "digits-cnn"))
    assert "augmentation" in cnn
    assert "augmentation" not in dense
    assert "none" not in {text.lower() for some in (dense, cnn) for text in some.values()}
    assert {key for key in {*dense, *cnn} if "model." not in key} - {*dense} == {"augmentation"}


@pytest.mark.parametrize(
    ("digest", "changes"),
    [
        ("aaaa", {"intent", "training_key", "data"}),
        ("bbbb", {"training_key"}),
        ("cccc", {"evaluation"}),
        ("ffff", set()),
    ],
)
def test_a_digest_changes_with_what_it_stands_for_and_with_nothing_else(
    project: Path, digest: str, changes: set[str]
) -> None:
    params = load_params()
    write_lock(project)
    before = read_lineage(project, params, "digits-cnn")
    write_lock(project, digest, "eeee")
    after = read_lineage(project, params, "digits-cnn")
    assert {field for field in vars(before) if getattr(before, field) != getattr(after, field)} == changes


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("zoom: 0.1", "zoom: 0.2", {"intent", "training_key"}),  # of its schedule
        ("dropout: 0.2", "dropout: 0.3", {"intent", "training_key"}),  # of its model
        ("learning_rate: 0.001", "learning_rate: 0.002", set()),  # of the schedule of the other candidate
        ("- 64", "- 32", set()),  # of the other candidate's model
        ("maximum_imbalance: 1.5", "maximum_imbalance: 2.5", set()),  # of what its data was held against
    ],
)
def test_a_digest_changes_with_its_candidates_choices_and_with_no_others(
    project: Path, old: str, new: str, changes: set[str]
) -> None:
    write_lock(project)
    before = read_lineage(project, load_params(), "digits-cnn")
    params = (project / "params.yaml").read_text()
    assert params.count(old) == 1
    (project / "params.yaml").write_text(params.replace(old, new))
    after = read_lineage(project, load_params(), "digits-cnn")
    assert {field for field in vars(before) if getattr(before, field) != getattr(after, field)} == changes


def test_a_digest_knows_nothing_of_the_code_that_made_the_files(project: Path) -> None:
    write_lock(project)
    before = read_lineage(project, load_params(), "digits-cnn")
    write_lock(project, "    outs", "    cmd: python\n    deps: [{path: stages/train.py, md5: ffff}]\n    outs")
    assert read_lineage(project, load_params(), "digits-cnn") == before


def test_the_intent_is_known_before_training(project: Path) -> None:
    write_lock(project)
    known = read_lineage(project, load_params(), "digits-cnn").intent
    write_lock(project, "  train@digits-cnn:\n    outs: [{path: models/digits-cnn/model.keras, md5: bbbb}]\n")
    assert read_intent(project, load_params(), "digits-cnn") == known


@pytest.mark.parametrize("lock", [None, "schema: '2.0'\nstages: {}\n"])
def test_a_candidate_that_did_not_run_is_answered_with_the_command(project: Path, lock: str | None) -> None:
    if lock:
        (project / "dvc.lock").write_text(lock)
    with pytest.raises(PodiumError, match=r"dvc repro \w+@digits"):
        read_lineage(project, load_params(), "digits-cnn")


def test_the_commit_is_named_and_whether_it_was_edited(project: Path) -> None:
    assert describe_source(project)["mlflow.source.git.commit"] == "not in git"
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], cwd=project, env=environment, check=True)
    source = describe_source(project)
    assert len(source["mlflow.source.git.commit"]) == 40
    assert source["podium.edited"] == "no"
    (project / "params.yaml").write_text("# edited\n")
    assert describe_source(project)["podium.edited"] == "yes"
