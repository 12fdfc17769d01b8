"""What a training in an isolated clone had reached when something ended it: kept in the project for the next clone.

A checkpoint names its training, and the stage begins anew with one of another training: to offer it is harmless.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from podium.paths import CandidatePaths

KEPT = Path(".dvc/tmp/podium-checkpoints")
_CHECKPOINT = CandidatePaths("*", "").checkpoint
_PATTERN = _CHECKPOINT.with_name(f"{_CHECKPOINT.stem}*{_CHECKPOINT.suffix}").as_posix()


@contextmanager
def lent_checkpoints(project: Path, clone: Path) -> Iterator[None]:
    """Let a clone go on with the trainings that ended too early, and keep the checkpoints that it has at its own end.

    Args:
        project: the project's root.
        clone: the root of the cloned project.
    """
    kept = project / KEPT
    lent = []
    for path in [path.relative_to(kept) for path in kept.glob(_PATTERN)]:
        with suppress(FileNotFoundError):  # another clone has ended that training meanwhile
            _lend(kept / path, clone / path)
            lent.append(path)
    try:
        yield
    finally:
        for path in lent:
            if not (clone / path).exists():  # that training is over
                (kept / path).unlink(missing_ok=True)
        keep_checkpoints(project, clone)


def _lend(kept: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(kept, place)  # a checkpoint is replaced as a whole, never written to
    except OSError:
        shutil.copyfile(kept, place)


def keep_checkpoints(project: Path, clone: Path) -> None:
    """Keep what the trainings in a clone had reached, where they are not over."""
    for path in clone.glob(_PATTERN):
        place = project / KEPT / path.relative_to(clone)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, place)
