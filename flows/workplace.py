"""Where a flow works: by hand in the folder of the person who typed it, by the clock in an isolated clone.

A run that a deployment started never touches the folder in which a person edits. It works on what is committed, one
such run of a project at a time. What it made is in DVC's cache and in MLflow; its `dvc.lock`, if that is new, waits on
a branch of its own.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from prefect.runtime import deployment, flow_run

from podium.paths import LOCK
from podium.workspace.branches import Branch, find_unmerged, keep_lock, read_lock
from podium.workspace.clone import check_out, isolated_clone
from podium.workspace.missed import find_missed

TURN = Path(".dvc/tmp/podium-scheduled.lock")
"""Held by the run that works by the clock. The system lifts it when its process ends, however it ends."""
HOLDER = Path(".dvc/tmp/podium-scheduled.json")
"""Who holds it."""


@dataclass
class Workplace:
    """Where a flow works.

    Attributes:
        root: where its stages run.
        project: the root of the user's project.
        notes: what a person should know of it, in sentences.
        branch: with the lock that the run made; None before it ends, or if the project has that lock.
    """

    root: Path
    project: Path
    notes: list[str] = field(default_factory=list)
    branch: Branch | None = None

    def bring_data(self) -> None:
        """Bring a clone the data and results that its lock names; a person's folder has its own."""
        if self.root != self.project:
            check_out(self.root)


def is_deployed() -> bool:
    """Say whether the flow that runs here was started by a deployment: by the clock, in Prefect's UI, by its API."""
    return bool(deployment.id)


@contextmanager
def workplace(project: Path, say: Callable[[str], None], *, isolated: bool) -> Iterator[Workplace]:
    """Give the place where a flow works, with nothing checked out yet if it is a clone.

    Args:
        project: the root of the user's project.
        say: takes what a person should know before anything runs, in sentences.
        isolated: make a clone, when it is this run's turn.

    Raises:
        PodiumError: the project is in no commit of a git repository, or the clone cannot be made.
    """
    if not isolated:
        yield Workplace(project, project)
        return
    missed = find_missed(project)
    notes = [f"This run works on the commit {missed.commit[:10]}. {missed.text}".strip()]
    with _turn(project, say):
        waiting = find_unmerged(project, missed.commit)
        if waiting:
            notes.append(f"It begins with {LOCK} of the branch {waiting}, which is not merged yet.")
        for note in notes:
            say(note)
        with isolated_clone(project, missed.commit) as clone:
            if waiting and (lock := read_lock(project, waiting)):
                (clone / LOCK).write_bytes(lock)
            place = Workplace(clone, project, notes)
            try:
                yield place
            finally:  # what was trained before something failed is kept, too
                title = str(flow_run.name or "run")
                place.branch = keep_lock(project, missed.commit, clone / LOCK, title)
                if place.branch:
                    say(f"{LOCK} is new, and waits on the branch {place.branch.name}: `{place.branch.command}`.")


@contextmanager
def _turn(project: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other run of this project works by the clock, and say for whom."""
    lock, holder = FileLock(project / TURN), project / HOLDER
    holder.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"{_describe(holder)} This run waits until it ends.")
        lock.acquire()
    try:
        now = datetime.now().astimezone().isoformat(" ", "minutes")
        holder.write_text(
            json.dumps({"flow": flow_run.flow_name, "run": flow_run.name, "since": now, "pid": os.getpid()})
        )
        yield
    finally:
        lock.release()


def _describe(holder: Path) -> str:
    try:
        known = json.loads(holder.read_text(encoding="utf-8"))
        return f"Another run works by the clock: {known['flow']} '{known['run']}', since {known['since']}."
    except (OSError, ValueError, KeyError, TypeError):
        return "Another run works by the clock."
