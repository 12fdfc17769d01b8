"""Fixtures that many tests share."""

import gc
import shutil
import signal
import sys
from pathlib import Path

import pytest

from podium.garbage import collect_seldom
from podium.models.runtime import prepare, set_switches
from tests.makers import REPOSITORY, TEST_DATA

pytest_plugins = ["tests.servers"]

collect_seldom()
set_switches()  # a process starts here; test modules import TensorFlow as they are collected


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a module that is slow as a whole unread where slow tests are left out: TensorFlow takes four seconds."""
    if "not slow" in config.option.markexpr and collection_path.suffix == ".py":
        return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text(encoding="utf-8") or None
    return None


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """A shell's background jobs, and what they start, ignore SIGINT; as a person starts it, nothing does."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def without_old_objects() -> None:
    """Keras looks through all objects as it makes a model; those that other modules left are millions, and seconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def prepared_as_a_stage() -> None:
    """Have Keras as the stages have it. Not where no test has imported it: that takes seconds."""
    if "keras" in sys.modules:
        prepare()


@pytest.fixture(autouse=True)
def no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address of MLflow's in the environment; the one that MLflow puts there while the test runs goes again."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of test data that is no part of the project."""
    if not TEST_DATA.is_dir():
        pytest.skip(f"there is no test data at {TEST_DATA}; the environment variable PODIUM_TEST_DATA names its place")
    return TEST_DATA


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without code, with the shipped page, and the current folder in it."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(REPOSITORY / name, root)
    shutil.copytree(REPOSITORY / "recipes", root / "recipes")
    monkeypatch.chdir(root)
    return root
