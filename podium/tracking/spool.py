"""Results that MLflow did not take: kept on disk, each laid out like a small project, until they are sent.

.dvc/tmp/podium-spool/<training_key>/
    params.yaml, dvc.lock
    models/NAME/, reports/DATASET/NAME/, reports/DATASET/validation/
    data/processed/DATASET/     the split manifest, the classes and the validation split
    kept.json                   the candidate, when it was kept first, and what no file says: commit, workspace, …

A later training of the candidate overwrites the project's files; these stay.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from podium.config import Params, load_params
from podium.errors import PodiumError
from podium.files import atomic_write, remove, save_json
from podium.paths import ADDITIONS, LOCK, PARAMS, REVIEW, CandidatePaths, DatasetPaths, home
from podium.tracking.lineage import Facts

SPOOL = Path(".dvc/tmp/podium-spool")
NOTE = "kept.json"
_FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """One result that waits to be sent.

    Attributes:
        folder: laid out like a project.
    """

    folder: Path

    @cached_property
    def _note(self) -> dict[str, Any]:
        try:
            note: dict[str, Any] = json.loads((self.folder / NOTE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            note = {}
        return note

    @property
    def when(self) -> float:
        """When it was kept first, in seconds since 1970; 0 if that is not known."""
        return float(self._note.get("when", 0))

    @property
    def title(self) -> str:
        """Say what it is, for people."""
        since = datetime.fromtimestamp(self.when, UTC).isoformat(" ", "minutes")
        return f"{self._note.get('candidate', self.folder.name)}, kept since {since}"

    @property
    def candidate(self) -> str:
        """The candidate's name."""
        return str(self._read("candidate"))

    @property
    def facts(self) -> Facts:
        """What was true as it was kept."""
        return Facts(**self._read("facts"))

    def read_params(self) -> Params:
        """Read its params page."""
        return load_params(self.folder / PARAMS)

    def _read(self, key: str) -> Any:
        if self._note.get("format") != _FORMAT or key not in self._note:
            raise PodiumError(
                f"{self.folder} is no result that this podium has kept: its {NOTE} says something else. Remove it, if "
                f"it is not wanted: `rm -r {self.folder}`."
            )
        return self._note[key]


class Spool:
    """The results of one project that MLflow does not have yet."""

    def __init__(self, root: Path) -> None:
        """Know the project's root."""
        self._root = root

    @property
    def folder(self) -> Path:
        """Where they are."""
        return home(self._root) / SPOOL

    def snapshots(self) -> list[Snapshot]:
        """Give what waits, the oldest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        kept = [Snapshot(path) for path in found if path.is_dir() and not path.name.startswith(".")]
        return sorted(kept, key=lambda one: (one.when, one.folder.name))

    def keep(self, key: str, paths: CandidatePaths, facts: Facts) -> str:
        """Keep a result; one with the same training_key gives way.

        Args:
            key: its training_key.
            paths: the places of the candidate's files.
            facts: what no file says.

        Returns:
            What is kept, and where, in a sentence.

        Raises:
            PodiumError: a file is missing, or the disk is full.
        """
        earlier = Snapshot(self.folder / key)
        note = {"format": _FORMAT, "candidate": paths.name, "when": earlier.when or time.time(), "facts": asdict(facts)}
        try:
            with atomic_write(self.folder / key) as part:
                for path in self._files(paths):
                    _copy(self._root / path, part / path)
                save_json(note, part / NOTE)
        except OSError as error:
            raise PodiumError(
                f"{paths.name} could not be kept in {SPOOL} either: {error}. Its files stay where they are until its "
                "next training: `podium run` publishes them once MLflow answers."
            ) from error
        return f"{paths.name} is kept in {SPOOL} ({self.describe()}); `podium sync` sends it."

    def drop(self, key: str) -> None:
        """Let go of a result that was sent."""
        remove(self.folder / key)

    def describe(self) -> str:
        """Say how many results wait, and how much of the disk they take."""
        waiting = self.snapshots()
        sizes = {
            (status.st_dev, status.st_ino): status.st_size
            for one in waiting
            for status in (path.stat() for path in one.folder.rglob("*") if path.is_file())
        }
        return f"{len(waiting)} result{'s' * (len(waiting) != 1)}, {sum(sizes.values()) / 1e6:,.1f} MB"

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Say whether no other process sends what is here; none begins to within the block."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".sending.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _files(self, paths: CandidatePaths) -> Iterator[Path]:
        """Give the files that a publication reads, relative to the root."""
        dataset = DatasetPaths(paths.dataset)
        yield from (PARAMS, LOCK)
        yield from (path for path in (REVIEW, ADDITIONS, dataset.lock) if (self._root / path).is_file())
        for folder in (paths.model.parent, dataset.validation, dataset.processed):
            yield from (one for one in self._list(folder, "*") if not one.name.startswith(paths.checkpoint.stem))
        for folder in (paths.reports, dataset.processed / "validation"):
            yield from self._list(folder, "**/*")

    def _list(self, folder: Path, pattern: str) -> Iterator[Path]:
        for path in sorted((self._root / folder).glob(pattern)):
            if path.is_file():
                yield path.relative_to(self._root)


def _copy(source: Path, target: Path) -> None:
    """Copy a file; arrays, which are large and never written twice, share the disk's blocks where it can do that."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".npy":
        try:
            os.link(source.resolve(), target)
        except OSError:
            pass  # another file system, or one that knows no links
        else:
            return
    shutil.copyfile(source, target)
