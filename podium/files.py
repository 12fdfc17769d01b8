"""Files: written atomically, locked for one process, digested, removed; folders for a while; JSON."""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from podium.errors import TransientError

LOCK_GRACE_SECONDS = 5
"""Seconds: a process that was just killed may take a moment to be gone."""


@contextmanager
def atomic_write(path: Path, *, resume: bool = False) -> Iterator[Path]:
    """Give a place beside `path` to write to; it takes the name `path` only when the block ends well.

    So a reader never meets a half-written file or folder, whatever ends the writer.

    Args:
        path: the file or folder to be. Its parent is made; what stood there is replaced.
        resume: keep what an earlier writer left unfinished; the caller goes on with it.

    Yields:
        The path to write to, a file or a folder of the caller's making.

    Raises:
        TransientError: another process writes there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    if not resume:
        remove(part)
    try:
        with exclusive_lock(part, f"{path} is being written") if resume else nullcontext():
            yield part
            if path.is_dir() or part.is_dir():  # a folder cannot be replaced, nor replace, in one step
                remove(path)
            part.replace(path)
    finally:
        if not resume:
            remove(part)


@contextmanager
def exclusive_lock(path: Path, what: str) -> Iterator[None]:
    """Keep other processes away from a place to write to, whichever command started them.

    Args:
        path: the place. A file beside it is the lock; the system lifts it when its process ends, however it ends.
        what: what is being done there, for the message.

    Raises:
        TransientError: another process is at it.
    """
    from filelock import FileLock, Timeout  # not for those who only ask where files live

    beside = path.with_name(f"{path.name}.lock")
    lock = FileLock(beside, timeout=LOCK_GRACE_SECONDS)
    try:
        lock.acquire()
    except Timeout:
        raise TransientError(
            f"{what} by another process. Wait until it ends, or end it (`pgrep -fa 'python -m stages'` finds it); "
            "then `dvc repro`."
        ) from None
    try:
        yield
    finally:
        beside.unlink(missing_ok=True)
        lock.release()


def is_locked(path: Path) -> bool:
    """Say whether a process keeps others away from a place, see `exclusive_lock`."""
    from filelock import FileLock, Timeout

    beside = path.with_name(f"{path.name}.lock")
    if not beside.exists():
        return False
    try:
        with FileLock(beside, timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def scratch_folder(parent: Path, prefix: str, salvage: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Give a new folder that is removed at the end; one that a kill left is removed by the next who asks for one.

    A lock beside it says that its process lives: the system lifts it with the process.

    Args:
        parent: where to. It is made if it is not there.
        prefix: how the folder's name begins. Those whose names begin so belong together.
        salvage: takes a folder that a kill left, before it is removed.

    Raises:
        OSError: none can be made there.
    """
    from filelock import FileLock

    parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(parent, prefix, salvage)
    own = parent / f"{prefix}{secrets.token_hex(8)}"
    with FileLock(_lock_of(own)):
        try:
            own.mkdir(mode=0o700)
            yield own
        finally:
            _remove_scratch(own)


def _remove_abandoned(parent: Path, prefix: str, salvage: Callable[[Path], None] | None) -> None:
    from filelock import FileLock, Timeout

    me = getattr(os, "getuid", lambda: 0)()
    for own in parent.glob(f"{prefix}*"):
        with suppress(OSError, Timeout):  # its process lives, or another removes it just now
            if own.is_dir() and not own.is_symlink() and own.stat().st_uid == me:
                with FileLock(_lock_of(own), timeout=0):
                    if salvage:
                        salvage(own)
                    _remove_scratch(own)


def _lock_of(own: Path) -> Path:
    return own.with_name(f"{own.name}.lock")


def _remove_scratch(own: Path) -> None:
    """Remove a folder and then its lock; what something still writes to stays, and the next call removes it."""
    with suppress(OSError):
        remove(own)
        _lock_of(own).unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """Give the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_digest(content: object) -> str:
    """Give the sha256 of what JSON would say of it, in hexadecimal."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def remove(path: Path) -> None:
    """Remove a file or a folder that may not be there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def save_json(content: object, path: Path) -> None:
    """Write JSON in which every number is one; the same content gives the same bytes."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
