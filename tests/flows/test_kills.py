"""Killed at any moment of download, unpacking, validation or preprocessing, a rerun ends as if nothing had happened."""

import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from podium.workspace.repro import TORN_LOCK
from tests.flows.workspace import Workspace
from tests.kaggle_server import TOKEN, KaggleServer, serve_kaggle

pytestmark = pytest.mark.slow

KILLS = 20
IMAGES = {"short": 300, "long": 1200}
COMMAND = ("dvc", "repro", "preprocess@pets")


@pytest.fixture
def kaggle(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[KaggleServer]:
    """Kaggle with one dataset: a zip with a tar.gz of photographs in it, delivered slowly."""
    generator = np.random.default_rng(0)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for number in range(IMAGES[request.param]):
            image = io.BytesIO()
            pixels = generator.integers(0, 256, (90, 120, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(image, "JPEG", quality=80)
            member = tarfile.TarInfo(f"images/{('cat', 'dog')[number % 2]}/{number}.jpg")
            member.size = image.tell()
            image.seek(0)
            tar.addfile(member, image)
    folder = tmp_path / "kaggle/datasets/owner"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "pets.zip", "w") as archive:
        archive.writestr("images.tar.gz", packed.getvalue())
    with serve_kaggle(tmp_path / "kaggle") as server:
        server.rate = 5_000_000
        yield server


def use_pets(page: dict) -> None:  # type: ignore[type-arg]
    dataset = page["datasets"].pop("digits")
    dataset["source"] = {"kind": "kaggle", "dataset": "owner/pets"}
    dataset["format"] = {"kind": "image_folder", "folders": {"train": "images.tar.gz/images"}}
    dataset["classes"] = {"cat": "cat", "dog": "dog"}
    dataset["image"] = {"height": 48, "width": 64, "channels": 3, "resize": "crop"}
    page["datasets"]["pets"] = dataset
    for candidate in page["candidates"].values():
        candidate["dataset"] = "pets"


def digest(root: Path) -> dict[str, str]:
    """The bytes of all that the stages made; the name of nothing that should not be there is missing from it."""
    files = sorted(path for folder in ("data", "reports") for path in (root / folder).rglob("*") if path.is_file())
    found = {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    return found | {"dvc.lock": (root / "dvc.lock").read_text()}


def where(root: Path) -> str:
    """What a killed run was at."""
    for place, name in (("data/downloads/pets", "download"), ("data/processed/.pets.part", "preprocess")):
        if (root / place).exists():
            return name
    return "unpacking and validation" if (root / "data/raw/pets.json").exists() else "before"


def remove_torn_table(root: Path) -> None:
    """Do what the README says to do where a kill met DVC as it wrote its own table (about one in several hundred)."""
    try:
        json.loads((root / TORN_LOCK).read_bytes())
    except FileNotFoundError:
        pass
    except ValueError:
        (root / TORN_LOCK).unlink()


@pytest.fixture
def project(kaggle: KaggleServer, tmp_path: Path) -> Workspace:
    project = Workspace(tmp_path / "project", **kaggle.environment, KAGGLE_API_TOKEN=TOKEN)
    project.edit(use_pets)
    project.commit("pets")
    return project


@pytest.mark.parametrize("kaggle", ["short"], indirect=True)
def test_a_kill_in_each_stage_changes_no_byte(project: Workspace, tmp_path: Path) -> None:
    project.run(*COMMAND)
    expected = digest(project.root)
    for folder in ("data/raw", "data/manifests", "data/processed", "reports", ".dvc/cache", "dvc.lock"):
        path = project.root / folder
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for stage in ("download", "unpacking and validation", "preprocess"):
        remove_torn_table(project.root)
        with project.running(*COMMAND) as process:
            while where(project.root) != stage:
                assert process.poll() is None, f"it ended before it was killed in {stage}"
                time.sleep(0.002)
            time.sleep(0.02)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    remove_torn_table(project.root)
    project.run(*COMMAND)
    assert digest(project.root) == expected


@pytest.mark.soak
@pytest.mark.parametrize("kaggle", ["long"], indirect=True)
def test_twenty_kills_at_random_moments_change_no_byte(project: Workspace, tmp_path: Path) -> None:

    def begin_anew() -> None:
        for folder in ("data/raw", "data/manifests", "data/processed", "reports", ".dvc/cache", "dvc.lock"):
            path = project.root / folder
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    began = time.monotonic()
    project.run(*COMMAND)
    whole = time.monotonic() - began
    expected = digest(project.root)
    assert {"data/raw/pets/archive.zip", "data/processed/pets/train/images.npy"} <= expected.keys()
    begin_anew()
    moments, killed = np.random.default_rng(0), Counter[str]()
    while killed.total() < KILLS:
        remove_torn_table(project.root)
        with (tmp_path / "said").open("w") as said:
            process = subprocess.Popen(
                COMMAND,
                cwd=project.root,
                env=project.environment,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            assert process.wait(moments.uniform(0.05, 1) * whole) == 0, (tmp_path / "said").read_text()
            assert digest(project.root) == expected
            begin_anew()
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            killed[where(project.root)] += 1
            if killed.total() % 4 == 0:  # else the kills would soon be past the download
                remove_torn_table(project.root)
                project.run(*COMMAND)
                assert digest(project.root) == expected, killed
                begin_anew()
    assert len(killed) >= 3, "the kills did not meet every stage"
