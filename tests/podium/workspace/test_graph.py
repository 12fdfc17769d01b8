"""The graph is dvc.yaml's own: what is added there appears."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from podium.errors import PodiumError, TransientError
from podium.workspace.graph import find_changed, find_outdated, is_current, load_stages, select
from podium.workspace.repro import reproduce

pytestmark = pytest.mark.slow

PIPELINE = """
stages:
  fetch:
    foreach: [a, b]
    do:
      desc: Bring it here
      cmd: echo took ${item}; echo ${item} > raw-${item}
      outs: ['raw-${item}']
  shape:
    foreach: [a, b]
    do:
      cmd: cp raw-${item} shaped-${item}
      deps: ['raw-${item}']
      outs: ['shaped-${item}']
  added:
    cmd: cat shaped-a shaped-b > both
    deps: [shaped-a, shaped-b]
    outs: [both]
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, env=os.environ | {"DVC_NO_ANALYTICS": "1"}, check=True)
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    return tmp_path


def test_every_stage_comes_after_what_it_needs_and_one_entry_after_the_other(repository: Path) -> None:
    stages = load_stages(repository)
    assert [stage.name for stage in stages] == ["fetch@a", "shape@a", "fetch@b", "shape@b", "added"]
    assert stages[0].description == "Bring it here"
    assert stages[4].needs == ("shape@a", "shape@b")
    assert (stages[1].kind, stages[1].entry) == ("shape", "a")


def test_a_target_brings_what_it_needs_and_nothing_else(repository: Path) -> None:
    stages = load_stages(repository)
    assert [stage.name for stage in select(stages, ["b"])] == ["fetch@b", "shape@b"]
    assert select(stages, None) == stages
    with pytest.raises(PodiumError, match="no stage for 'c'"):
        select(stages, ["c"])


def test_a_stage_is_current_once_it_ran_and_until_something_changes(repository: Path) -> None:
    assert not is_current(repository, "fetch@a")
    said: list[str] = []
    reproduce(repository, "fetch@a", said.append)
    assert "took a" in said
    assert not any("git add" in line for line in said)
    assert is_current(repository, "fetch@a")
    (repository / "raw-a").write_text("edited\n")
    assert not is_current(repository, "fetch@a")


def test_a_failing_stage_is_told_with_its_last_words(repository: Path) -> None:
    (repository / "dvc.yaml").write_text("stages: {bad: {cmd: 'echo the disk is full >&2; exit 3', outs: [x]}}\n")
    with pytest.raises(PodiumError, match="the disk is full") as caught:
        reproduce(repository, "bad", lambda line: None)
    assert not isinstance(caught.value, TransientError)
    assert "memory" not in str(caught.value)


@pytest.mark.parametrize(("signal", "stage"), [("KILL", "preprocess"), ("SEGV", "train")])
def test_a_stage_that_the_kernel_killed_is_told_what_that_may_mean(repository: Path, signal: str, stage: str) -> None:
    (repository / "dvc.yaml").write_text(
        f"stages: {{{stage}: {{foreach: [big], do: {{cmd: 'kill -{signal} $$', outs: [x]}}}}}}\n"
    )
    with pytest.raises(
        PodiumError, match=rf"(?s)^{stage}@big failed:.*exited with .*memory was too small.*smaller images"
    ) as caught:
        reproduce(repository, f"{stage}@big", lambda line: None)
    assert ("batch_size" in str(caught.value)) == (stage == "train")


def test_half_a_file_that_a_kill_left_in_dvcs_folder_is_no_obstacle(repository: Path) -> None:
    torn = repository / ".dvc/tmp/rwlock"
    torn.parent.mkdir(exist_ok=True)
    torn.write_text('{"read": {')
    said: list[str] = []
    reproduce(repository, "fetch@a", said.append)
    assert "took a" in said
    for ask in (find_outdated, find_changed):
        torn.write_text("")
        ask(repository, ["a"])
    torn.write_text('{"read": {')
    assert is_current(repository, "fetch@a")


def test_another_command_in_the_workspace_is_worth_another_try(repository: Path) -> None:
    (repository / "dvc.yaml").write_text("stages: {slow: {cmd: 'touch began; sleep 20', outs: [x]}}\n")
    command = [sys.executable, "-m", "dvc", "repro", "slow"]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.DEVNULL, start_new_session=True) as other:
        while not (repository / "began").exists():
            assert other.poll() is None
        try:
            with pytest.raises(TransientError, match="another DVC command"):
                reproduce(repository, "slow", lambda line: None)
        finally:
            os.killpg(other.pid, 9)


def test_a_broken_pipeline_is_one_message(repository: Path) -> None:
    (repository / "dvc.yaml").write_text("stages: {bad: {command: x}}\n")
    with pytest.raises(PodiumError, match=r"dvc\.yaml"):
        load_stages(repository)
