"""Where each dataset's and each candidate's files live, relative to the project's root.

`dvc.yaml` names the same places; a test holds the two together.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from podium.errors import PodiumError, TryAgain

PARAMS = Path("params.yaml")
LOCK = Path("dvc.lock")
DOWNLOADS = Path("data/downloads")
REVIEW = Path("data/review.csv")
"""What people decided of single pictures; in git."""
FEATURES = Path("data/features")
"""What pretrained networks saw in pictures: a cache that can be removed at any time."""

GRACE = 5
"""Seconds: a process that was just killed may take a moment to be gone."""


def project_root() -> Path:
    """Find the project that the current folder belongs to.

    Returns:
        The absolute path of the nearest folder, upwards, that holds a `dvc.yaml`.

    Raises:
        PodiumError: the current folder is in no project.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise PodiumError(
        f"{here} is in no podium project: neither here nor above is there a dvc.yaml. "
        "Change into your clone of the project and try again."
    )


@dataclass(frozen=True)
class DatasetPaths:
    """The places of one dataset."""

    name: str

    @property
    def downloads(self) -> Path:
        """The folder of what is still arriving, or was put there by hand. No output of DVC, so that it stays."""
        return DOWNLOADS / self.name

    @property
    def raw(self) -> Path:
        """The folder of what arrived, as it arrived."""
        return Path("data/raw") / self.name

    @property
    def lock(self) -> Path:
        """What is known of the archive that arrived: its source, size and sha256."""
        return Path("data/raw") / f"{self.name}.json"

    @property
    def manifest(self) -> Path:
        """The table with one row a picture."""
        return Path("data/manifests") / f"{self.name}.parquet"

    @property
    def accepted(self) -> Path:
        """The manifest of the version that was accepted last; DVC keeps it, its `.dvc` file is in git."""
        return Path("data/accepted") / f"{self.name}.parquet"

    @property
    def processed(self) -> Path:
        """The folder with one folder of arrays per split, the class names and the split manifest."""
        return Path("data/processed") / self.name

    @property
    def validation(self) -> Path:
        """The folder of the validation's findings."""
        return Path("reports") / self.name / "validation"


@dataclass(frozen=True)
class CandidatePaths:
    """The places of one candidate."""

    name: str
    dataset: str

    @property
    def model(self) -> Path:
        """The trained model."""
        return Path("models") / self.name / "model.keras"

    @property
    def history(self) -> Path:
        """The table that grows by one row per epoch while the candidate trains."""
        return Path("models") / self.name / "history.csv"

    @property
    def checkpoint(self) -> Path:
        """The state of a training that is not over. No output of DVC, so that it stays when a stage begins again."""
        return Path("models") / self.name / "checkpoint.npz"

    def checkpoint_of(self, seed: int) -> Path:
        """Give the place of the same, of a training with a further seed."""
        return self.checkpoint.with_name(f"checkpoint-{seed}.npz")

    @property
    def repeats(self) -> Path:
        """The folder of the trainings with further seeds, each a folder with a model and a history; empty if none."""
        return Path("models") / self.name / "repeats"

    @property
    def board(self) -> Path:
        """The folder of the history for TensorBoard. No output of DVC: it can be removed at any time."""
        return Path("models") / self.name / "tensorboard"

    @property
    def reports(self) -> Path:
        """The folder of the candidate's figures, tables and pictures."""
        return Path("reports") / self.dataset / self.name


@contextmanager
def written_whole(path: Path, *, resume: bool = False) -> Iterator[Path]:
    """Give a place beside `path` to write to; it takes the name `path` only when the block ends well.

    So a reader never meets a half-written file or folder, whatever ends the writer.

    Args:
        path: the file or folder to be. Its parent is made; what stood there is replaced.
        resume: keep what an earlier writer left unfinished; the caller goes on with it.

    Yields:
        The path to write to, a file or a folder of the caller's making.

    Raises:
        TryAgain: another process writes there and is to be gone on with.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    if not resume:
        remove(part)
    try:
        with alone(part, f"{path} is being written") if resume else nullcontext():
            yield part
            if path.is_dir() or part.is_dir():  # a folder cannot be replaced, nor replace, in one step
                remove(path)
            part.replace(path)
    finally:
        if not resume:
            remove(part)


@contextmanager
def alone(path: Path, what: str) -> Iterator[None]:
    """Keep other processes away from a place to write to: a killed `dvc repro` leaves its stage running.

    Args:
        path: the place. A file beside it is the lock; the system lifts it when its process ends, however it ends.
        what: what is being done there, for the message.

    Raises:
        TryAgain: another process is at it.
    """
    from filelock import FileLock, Timeout  # not for those who only ask where files live

    beside = path.with_name(f"{path.name}.lock")
    lock = FileLock(beside, timeout=GRACE)
    try:
        lock.acquire()
    except Timeout:
        raise TryAgain(
            f"{what} by another process. Wait until it ends, or end it (`pgrep -fa 'python -m stages'` finds it); "
            "then `dvc repro`."
        ) from None
    try:
        yield
    finally:
        beside.unlink(missing_ok=True)
        lock.release()


def file_digest(path: Path) -> str:
    """Give the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove(path: Path) -> None:
    """Remove a file or a folder that may not be there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
