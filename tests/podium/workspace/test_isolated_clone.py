"""A clone to work in: it fills the project's cache, keeps out of the project's folder, and leaves nothing behind."""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from podium.errors import PodiumError
from podium.paths import CLONES, home
from podium.workspace.clone import check_out, isolated_clone
from podium.workspace.missed import find_missed, require_clean
from podium.workspace.repro import reproduce
from tests.podium.workspace.test_clone import git, repository, run

__all__ = ["repository"]
pytestmark = pytest.mark.slow


@pytest.fixture
def project(repository: Path) -> Path:
    """The repository with a page that names a file beside git, and one more change to be built."""
    page = "datasets:\n  d:\n    source: {path: local.zip}\ncandidates: {}\n"
    (repository / "params.yaml").write_text(page)
    with (repository / ".gitignore").open("a") as ignored:
        ignored.write("/data/downloads\n/data/features\n/local.zip\n")
    (repository / "local.zip").write_text("an archive")
    (repository / "code.txt").write_text("two\n")
    git(repository, "add", "--all")
    git(repository, "commit", "-qm", "second")
    return repository


def test_what_a_clone_makes_the_project_restores_without_running_it(project: Path, tmp_path: Path) -> None:
    commit = require_clean(project)
    status, runs = git(project, "status", "--porcelain"), (tmp_path / "log").read_text().count("\n")
    with isolated_clone(project, commit) as clone:
        assert reproduce(clone, "copy", print)
        assert (clone / "made.txt").read_text() == "two\n"
        assert (project / "made.txt").read_text() == "one\n"
        assert git(project, "status", "--porcelain") == status
        (clone / "data/downloads/part").write_text("half an archive")
        assert (clone / "local.zip").read_text() == "an archive"
        assert home(clone) == project
    assert not list((project / CLONES).iterdir())
    assert (project / "data/downloads/part").read_text() == "half an archive"
    assert not reproduce(project, "copy", print)
    assert (project / "made.txt").read_text() == "two\n"
    assert (tmp_path / "log").read_text().count("\n") == runs + 1


def test_a_clone_has_its_data_after_a_check_out_and_cannot_spoil_the_cache(project: Path) -> None:
    reproduce(project, "copy", print)
    git(project, "commit", "-qam", "the lock")
    with isolated_clone(project, require_clean(project)) as clone:
        check_out(clone)
        assert (clone / "made.txt").read_text() == "two\n"
        assert not (clone / "made.txt").stat().st_mode & 0o222
        assert run([sys.executable, "-m", "dvc", "status"], clone).startswith("Data and pipelines are up to date")


def test_a_clone_that_a_kill_left_is_removed_by_the_next_run_and_one_at_work_is_not(project: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from podium.workspace.clone import isolated_clone
with isolated_clone(Path(sys.argv[1]), sys.argv[2]) as clone:
    print(clone, flush=True)
    time.sleep(600)
"""
    commit = git(project, "rev-parse", "HEAD")
    process = subprocess.Popen([sys.executable, "-c", code, str(project), commit], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    with process:
        left = Path(process.stdout.readline().strip())
        with isolated_clone(project, commit):
            assert left.is_dir()
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while left.is_dir() and time.monotonic() < deadline:
        with isolated_clone(project, commit):
            pass
    assert not list((project / CLONES).iterdir())


def test_a_training_that_was_not_over_goes_on_in_the_next_clone(project: Path) -> None:
    commit, checkpoint = git(project, "rev-parse", "HEAD"), Path("models/a/checkpoint-1.npz")
    with suppress(KeyboardInterrupt), isolated_clone(project, commit) as clone:
        (clone / checkpoint).parent.mkdir(parents=True)
        (clone / checkpoint).write_text("epoch 3")
        raise KeyboardInterrupt
    with isolated_clone(project, commit) as clone:
        assert (clone / checkpoint).read_text() == "epoch 3"
        left = clone.parents[1].with_name("clone-left") / clone.relative_to(clone.parents[1])
        (left / checkpoint).parent.mkdir(parents=True)  # as after a kill: nobody holds its lock
        (left / checkpoint).write_text("epoch 5")
        with isolated_clone(project, commit) as other:
            assert (other / checkpoint).read_text() == "epoch 5"
            (other / checkpoint).unlink()  # the training is over
        (clone / checkpoint).unlink()
    with isolated_clone(project, commit) as clone:
        assert not (clone / checkpoint).exists()


def test_remotes_and_credentials_of_the_project_alone_are_known_in_a_clone_that_others_cannot_read(
    project: Path, tmp_path: Path
) -> None:
    run([sys.executable, "-m", "dvc", "remote", "add", "--local", "-d", "store", "../store"], project)
    with isolated_clone(project, git(project, "rev-parse", "HEAD")) as clone:
        reproduce(clone, "copy", print)
        run([sys.executable, "-m", "dvc", "push", "-r", "store"], clone)
        assert not clone.parents[1].stat().st_mode & 0o077
    assert list((tmp_path / "top/store").rglob("*"))


def test_what_a_clone_would_miss_is_said(project: Path) -> None:
    (project / "code.txt").write_text("three\n")
    (project / "new.txt").write_text("new\n")
    (project / "dvc.lock").write_text("")  # the cache has what it stands for
    missed = find_missed(project)
    assert missed.text.endswith("does not have code.txt (changed, not committed) and new.txt (not in git).")
    with pytest.raises(PodiumError, match=r"git add --all && git commit.*git stash --include-untracked"):
        require_clean(project)


def test_a_repository_without_a_commit_and_a_folder_without_a_repository_get_one_message(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    with pytest.raises(PodiumError, match=r"no git repository.*git init"):
        require_clean(tmp_path)
    git(tmp_path, "init", "-q")
    with pytest.raises(PodiumError, match=r"in no commit of it.*git add --all && git commit"):
        require_clean(tmp_path)
