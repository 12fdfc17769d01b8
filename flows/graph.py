"""DVC's graph, and how to bring one stage of it up to date.

Whether a stage is current is asked in this process (some hundredths of a second); a stage that is not is run by
the `dvc` command, whose output can be read line by line. docs/decisions/0004-dvc-by-command.md has the figures.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import psutil
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.scm import resolve_rev

from podium.errors import PodiumError, TryAgain, nearest
from podium.paths import LOCK

PIPELINE = "dvc.yaml"
TORN = ".dvc/tmp/rwlock"
"""Where a kill may leave half a file of DVC's (treeverse/dvc issue 7615)."""

_running: set["subprocess.Popen[str]"] = set()


@dataclass(frozen=True)
class Stage:
    """One stage of `dvc.yaml`, its foreach resolved.

    Attributes:
        name: as `dvc repro` takes it: `train@digits-cnn`.
        description: its `desc` in `dvc.yaml`.
        needs: the names of the stages whose outputs it reads.
    """

    name: str
    description: str
    needs: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Its name in `dvc.yaml`: `train`."""
        return self.name.partition("@")[0]

    @property
    def entry(self) -> str:
        """The dataset or candidate that it is for: `digits-cnn`; empty for a stage without a foreach."""
        return self.name.partition("@")[2]


def load_stages(root: Path) -> list[Stage]:
    """Give every stage of the project, each after the ones that it needs, one candidate after the other."""
    try:
        with Repo(str(root)) as repo:
            graph = repo.index.graph.copy()
    except DvcException as error:
        raise PodiumError(f"dvc.yaml cannot be read: {error}") from error
    # What `dvc add` tracks stands in the graph, too, but has nothing to run.
    graph.remove_nodes_from([stage for stage in graph if stage.path_in_repo != PIPELINE])
    last = [stage for stage in graph if not graph.in_degree(stage)]  # nobody needs these
    ordered = dict.fromkeys(need for stage in last for need in nx.dfs_postorder_nodes(graph, stage))
    return [
        Stage(stage.name, stage.desc or "", tuple(sorted(need.name for need in graph.successors(stage))))
        for stage in ordered
    ]


def select(stages: list[Stage], targets: Sequence[str] | None) -> list[Stage]:
    """Keep the stages of the named datasets and candidates, and everything that those need; None keeps all.

    Raises:
        PodiumError: a name has no stage.
    """
    if targets is None:
        return stages
    by_name = {stage.name: stage for stage in stages}
    entries = {stage.entry for stage in stages}
    wanted: set[str] = set()
    for target in targets:
        if target not in entries:
            raise PodiumError(f"dvc.yaml has no stage for '{target}'. {nearest(target, entries)}")
        waiting = [stage.name for stage in stages if stage.entry == target]
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting += by_name[name].needs
    return [stage for stage in stages if stage.name in wanted]


def is_current(root: Path, name: str) -> bool:
    """Say whether a stage's outputs are those of its params and dependencies as they are now.

    Raises:
        TryAgain: another DVC command holds the workspace.
    """
    try:
        with Repo(str(root)) as repo:
            return not repo.status(targets=[f"{root / PIPELINE}:{name}"])
    except LockError as error:
        raise TryAgain(f"Another DVC command holds the workspace: {error}") from error


def reproduce(root: Path, name: str, say: Callable[[str], None]) -> None:
    """Run one stage by `dvc repro --single-item`, its output handed on line by line.

    DVC notes in a file who uses what, and writes it in place: a kill at that moment leaves half of it, and DVC refuses
    to work until it is gone. Then it is removed; it said nothing any more.

    Args:
        root: the project's root.
        name: the stage.
        say: takes each line of output.

    Raises:
        TryAgain: another DVC command holds the workspace.
        PodiumError: the stage failed; the message ends with its last lines.
    """
    folder = str(Path(sys.executable).parent)
    environment = os.environ | {
        "PATH": os.pathsep.join([folder, os.environ.get("PATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    lines: list[str] = []
    written = False
    with subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", "--single-item", name],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        _running.add(process)
        try:
            for line in process.stdout or ():
                text = line.rstrip()
                if text:
                    lines = [*lines[-30:], text]
                    written = written or text.endswith(f"lock file '{LOCK}'")  # what follows are DVC's hints
                    if not written:
                        say(text)
            status = process.wait()
        finally:
            _running.discard(process)
            _stop(process)
    if status:
        message = "\n".join(line for line in lines if not line.startswith((">", "Running stage")))
        if "Unable to acquire lock" in message or "is busy, it is being blocked by" in message:
            raise TryAgain(f"{name}: another DVC command holds the workspace.\n{message}")
        if "JSON structure is corrupted" in message and (torn := root / TORN).exists():
            torn.unlink()
            reproduce(root, name, say)
            return
        if re.search(r"exited with (-9|-11|137|139)$", message, re.MULTILINE):
            halve = " set the schedule's batch_size in params.yaml to half of what it is," * name.startswith("train@")
            message += (
                "\nIt was killed, or it crashed; most often the memory was too small. Close other programs,"
                f"{halve} or choose smaller pictures; the same command again goes on."
            )
        raise PodiumError(f"{name} failed:\n{message}")


def find_revision(root: Path, revision: str) -> str:
    """Give the sha of a git revision: of a commit, a branch, a tag.

    Raises:
        PodiumError: git has no such revision.
    """
    try:
        with Repo(str(root)) as repo:
            return str(resolve_rev(repo.scm, revision))
    except DvcException as error:
        raise PodiumError(
            f"git has no revision '{revision}' here. Expected a commit, a branch or a tag of this clone; "
            "`git fetch --unshallow origin` brings what a shallow clone lacks."
        ) from error


def read_at(root: Path, path: Path, revision: str) -> bytes | None:
    """Read an output of a stage as a git revision has it, from DVC's cache or else its remote.

    Returns:
        The file's bytes; None if the revision's `dvc.lock` does not name it, or neither cache nor remote has it.
    """
    from dvc.api import read  # a fifth of a second to import

    try:
        return bytes(read(str(path), repo=str(root), rev=revision, mode="rb"))
    except (DvcException, OSError):
        return None


def restore(root: Path, path: Path) -> None:
    """Bring a file that `dvc add` tracks here, from DVC's cache or else its remote, if one of them has it."""
    pointer = root / f"{path}.dvc"
    with Repo(str(root)) as repo:
        for bring in (repo.checkout, repo.pull):
            if pointer.is_file() and not (root / path).is_file():
                with suppress(DvcException):
                    bring(targets=[str(pointer)])


def stop_running() -> None:
    """End every stage that is running, with all that it started."""
    for process in list(_running):
        _stop(process)


def _stop(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        head = psutil.Process(process.pid)
        family = [*head.children(recursive=True), head]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.terminate()
        _, stubborn = psutil.wait_procs(family, timeout=10)
        for member in stubborn:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()
