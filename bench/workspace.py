"""Temporary clones of this repository to measure in, and the test data, so that nobody's own work is touched."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench.measure import BenchError, Cost, run, stop

ROOT = Path(__file__).resolve().parent.parent

SIGN_LANGUAGE = "kaggle/datasets/datamunge/sign-language-mnist.zip"
MOBILENET = "weights/mobilenet_1_0_224_tf_no_top.h5"

_FOREIGN = ("PREFECT_", "MLFLOW_", "DVC_", "PYTHON", "TF_", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
"""Beginnings of variables that would lead a measured command to the user's own servers, caches, code and switches."""


class Skipped(Exception):  # noqa: N818 - it is no error
    """A bench cannot run here; the message says why."""


def sample(name: str) -> Path:
    """Give a file of the test data.

    Raises:
        Skipped: it is not there.
    """
    path = Path(os.environ.get("PODIUM_TEST_DATA") or ROOT.parent / "shared" / "data") / name
    if not path.is_file():
        raise Skipped(f"the folder that PODIUM_TEST_DATA names has no {name}")
    return path.resolve()


@dataclass(frozen=True)
class Workspace:
    """A clone of the repository with an empty cache and servers of its own.

    Attributes:
        root: the clone.
        environment: what its commands see.
    """

    root: Path
    environment: dict[str, str]

    def use(self, recipe: str) -> None:
        """Make a recipe the page of this workspace, byte for byte."""
        shutil.copyfile(self.root / "recipes" / f"{recipe}.yaml", self.root / "params.yaml")

    @contextmanager
    def page(self) -> Iterator[dict[str, Any]]:
        """Give the page to be changed; it is written when the block ends."""
        path = self.root / "params.yaml"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        yield content
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")

    def use_sign_language(self) -> None:
        """Make sign_language the page, with its archive where the test data has it."""
        self.use("sign_language")
        with self.page() as page:
            page["datasets"]["sign-language"]["source"] = {"kind": "archive", "path": str(sample(SIGN_LANGUAGE))}

    def run(self, *command: str) -> Cost:
        """Run a command in the clone; `python` is the one that runs the benches."""
        return run(command, self.root, self.environment)

    @contextmanager
    def running(self, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Keep a silent command running in the clone; it is stopped whatever happens."""
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            stop(process)


def environment(home: Path) -> dict[str, str]:
    """Give the environment of measured commands: nothing of the user's, nobody told, state under `home`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(home / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(home / "dvc-site"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "GX_ANALYTICS_ENABLED": "false",
        "NO_PROXY": "127.0.0.1,localhost",
    }


@contextmanager
def folder() -> Iterator[Path]:
    """Give a temporary folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="podium-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


@contextmanager
def workspace() -> Iterator[Workspace]:
    """Give a fresh clone of HEAD, with what is changed and not committed yet on top."""
    with folder() as home:
        root = home / "project"
        git("clone", "--quiet", str(ROOT), str(root))
        for name in changed_files():
            source, target = ROOT / name, root / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
            else:
                target.unlink(missing_ok=True)
        yield Workspace(root, environment(home))


def changed_files() -> list[str]:
    """List the files that differ from HEAD, new ones included, those that git ignores not."""
    listed = git("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    return [entry[3:] for entry in listed.split("\0") if entry]


def git(*arguments: str) -> str:
    """Ask git about this repository, leaving its locks alone."""
    command = ("git", "--no-optional-locks", "-C", str(ROOT), *arguments)
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "")
        raise BenchError(f"{error} {said}\nThe benches work in clones of this repository.") from None
