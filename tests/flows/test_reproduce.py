"""A version is built again in an isolated clone, and nothing of the user's is disturbed."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml
from filelock import FileLock

from podium.errors import PodiumError
from podium.files import scratch_folder
from podium.registry.proof.reproduce import reproduce
from tests.flows.test_pipeline import wait_until
from tests.flows.workspace import Workspace, processes_in
from tests.registered import NAME, register
from tests.trained import Trained

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(shipped_once: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which everything is trained, and nothing published; the commit has its page, and not its lock."""
    root = tmp_path_factory.mktemp("reproduce") / "project"
    with FileLock(shipped_once.root.parent / "in-use.lock"):
        shutil.copytree(shipped_once.root, root, symlinks=True)
    (root / "mlflow.db").unlink()
    shutil.rmtree(root / "mlflow-artifacts")
    return Workspace.of(root)


@pytest.fixture
def champion(made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trained]:
    """The same with an MLflow store of its own, in which the candidate is champion."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'store/mlflow.db'}")
    trained = Trained(made.root)
    register(trained)
    yield trained
    shutil.rmtree(made.root / "mlflow-artifacts")


def files(root: Path) -> dict[Path, tuple[int, int]]:
    """Give when each file of a workspace was written, and its size: DVC's cache and git's objects too."""
    found = {path: path.stat() for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    return {path: (status.st_mtime_ns, status.st_size) for path, status in found.items() if path.name != "index"}


@pytest.mark.soak  # it trains twice; what it compares, and how: `tests/podium/registry/proof`
def test_the_shipped_digits_are_built_again_byte_by_byte(champion: Trained, tmp_path: Path) -> None:
    before, said = files(champion.root), []
    again = reproduce(champion.root, "digits@champion", said.append, tmp_path / "kept")
    assert again.verdict == "identical", [one for one in again.outputs if one.same is False]
    assert (again.holds, again.notes) == (True, ())
    assert {one.path.name for one in again.outputs if one.same is None} <= {"cost.json", "index.html"}
    stages = {"validate@digits", "preprocess@digits", f"train@{NAME}", f"evaluate@{NAME}", f"confusion_matrix@{NAME}"}
    assert {one.stage for one in again.outputs} == stages
    assert any(line.startswith(f"train {NAME}: ") for line in said)  # it ran: nothing came from a cache
    assert files(champion.root) == before
    clone = tmp_path / "kept/clone"
    assert (clone / champion.paths(NAME).model).read_bytes() == (
        champion.root / champion.paths(NAME).model
    ).read_bytes()


@pytest.mark.soak
def test_edited_code_is_named_and_the_outputs_that_differ(champion: Trained) -> None:
    client, root = champion.client, champion.root
    run = client.get_run(client.get_model_version("digits", "1").run_id)
    lineage = Path(run.info.artifact_uri.removeprefix("file://")) / "lineage"
    (lineage / "source.json").write_text(
        (lineage / "source.json").read_text().replace('"edited": []', '"edited": ["stages/train.py"]')
    )
    lock = yaml.safe_load((lineage / "dvc.lock").read_text())
    for stage, entry in lock["stages"].items():
        if stage == f"train@{NAME}":
            next(dep for dep in entry["deps"] if dep["path"] == "stages/train.py")["md5"] = "0" * 31 + "a"
            next(out for out in entry["outs"] if out["path"].endswith("history.csv"))["md5"] = "0" * 31 + "a"
    (lineage / "dvc.lock").write_text(yaml.safe_dump(lock))
    again = reproduce(root, "digits/1", lambda _: None)
    assert "The commit's code is not what ran: stages/train.py differ." in again.notes
    assert any("stages/train.py. What is built from the commit alone may differ." in note for note in again.notes)
    assert [one.path.name for one in again.outputs if one.same is False] == ["history.csv"]
    assert (again.verdict, again.holds) == ("close", True)
    assert again.distance is not None
    assert again.distance.largest == 0


@pytest.mark.parametrize(
    ("commit", "message"),
    [
        ("0" * 40, "The commit 0000000000 is not in this clone of the repository. `git fetch --all`"),
        ("not in git", "was made in no git repository"),
    ],
)
def test_a_version_whose_code_is_not_to_be_had_is_one_message(
    champion: Trained, commit: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    client = champion.client
    run = client.get_run(client.get_model_version("digits", "1").run_id)
    (Path(run.info.artifact_uri.removeprefix("file://")) / "lineage/source.json").unlink()
    client.set_tag(run.info.run_id, "mlflow.source.git.commit", commit)
    with pytest.raises(PodiumError) as raised:
        reproduce(champion.root, "digits/1", lambda _: None)
    assert message in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_folder_that_is_not_empty_is_not_taken(champion: Trained, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(PodiumError, match="is there already, and not empty"):
        reproduce(champion.root, "digits/1", lambda _: None, tmp_path)


def is_stage(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return "stages" in process.cmdline()
    return False


def test_after_a_kill_no_stage_runs_on_and_the_next_removes_the_clone(
    champion: Trained, made: Workspace, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    address = {"TMPDIR": str(scratch), "MLFLOW_TRACKING_URI": os.environ["MLFLOW_TRACKING_URI"]}
    command = [sys.executable, "-m", "podium.cli", "reproduce", "digits/1"]
    with subprocess.Popen(
        command, cwd=champion.root, env=made.environment | address, stdout=subprocess.DEVNULL
    ) as process:
        wait_until(lambda: any(map(is_stage, processes_in(scratch))), 120)
        process.kill()
    wait_until(lambda: not processes_in(scratch), 30)
    (left,) = [path for path in scratch.glob("podium-reproduce-*") if path.is_dir()]
    with scratch_folder(scratch, "podium-reproduce-"):
        assert not left.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_one_message(champion: Trained, small_disk: Path) -> None:
    with pytest.raises(PodiumError, match=r"could not make the isolated clone .* The disk is full: 0\.") as raised:
        reproduce(champion.root, "digits/1", lambda _: None, small_disk / "kept")
    assert "\n" not in str(raised.value)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for the lineage of a version, and not for a clone."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no small disk can be mounted: {made.stderr.decode()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.soak
def test_what_the_cache_lost_is_downloaded_again(champion: Trained, tmp_path: Path) -> None:
    cache = champion.root / ".dvc/cache/files/md5"
    raw = yaml.safe_load((champion.root / "dvc.lock").read_text())["stages"]["download@digits"]["outs"]
    moved = [(cache / out["md5"][:2] / out["md5"][2:], tmp_path / out["md5"]) for out in raw]
    for place, aside in moved:
        shutil.move(place, aside)
    said: list[str] = []
    try:
        again = reproduce(champion.root, "digits/1", said.append)
    finally:
        for place, aside in moved:
            shutil.move(aside, place)
    assert "1 of 6: download digits: neither DVC's cache nor a remote has it" in said
    assert again.verdict == "identical"
