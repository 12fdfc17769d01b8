"""DVC's graph: its stages, and which of them are up to date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import networkx as nx
from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo
from dvc.rwlock import RWLockFileCorruptedError
from dvc.scm import SCMError
from dvc.utils.serialize import ParseError

from podium.errors import PodiumError, TransientError, nearest
from podium.git import describe_conflict, find_commit
from podium.paths import LOCK, PARAMS
from podium.workspace.repro import TORN_LOCK

PIPELINE = "dvc.yaml"

MAKE_REPOSITORY = "Make it one: `git init && git add --all && git commit -m 'as downloaded'`."

T = TypeVar("T")


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

    @property
    def title(self) -> str:
        """Its name for people, as it begins the line that it logs: `train digits-cnn`."""
        return self.name.replace("@", " ")


def load_stages(root: Path) -> list[Stage]:
    """Give every stage of the project, each after the ones that it needs, one candidate after the other.

    Raises:
        PodiumError: one of DVC's files cannot be read, or the project is in no git repository.
    """
    return _ask(root, _list_stages)


def _ask(root: Path, question: Callable[[Repo], T]) -> T:
    """Open DVC's repository and ask it; what goes wrong has one message, and half a lock file that a kill left goes."""
    try:
        with Repo(str(root)) as repo:
            return question(repo)
    except RWLockFileCorruptedError:
        (root / TORN_LOCK).unlink(missing_ok=True)
        return _ask(root, question)
    except DvcException as error:
        raise _explained(root, error) from error


def _list_stages(repo: Repo) -> list[Stage]:
    graph = repo.index.graph.copy()
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
        TransientError: another DVC command holds the workspace.
    """
    return _ask(root, lambda repo: not repo.status(targets=[f"{root / PIPELINE}:{name}"]))


def find_outdated(root: Path, targets: Sequence[str] | None) -> tuple[list[Stage], list[Stage]]:
    """Give the stages that are asked for, and those of them that have work to do, looking at the project once.

    Work to do have those that changed, and those that need one that did.

    Raises:
        TransientError: another DVC command holds the workspace.
        PodiumError: as by `load_stages` and `select`.
    """

    def look(repo: Repo) -> tuple[list[Stage], set[str]]:
        changed = {address.rpartition(":")[2] for address in repo.status()}  # the rest depends on the folder we are in
        return select(_list_stages(repo), targets), changed

    stages, changed = _ask(root, look)
    outdated: dict[str, Stage] = {}
    for stage in stages:  # each comes after the ones that it needs
        if stage.name in changed or any(need in outdated for need in stage.needs):
            outdated[stage.name] = stage
    return stages, [*outdated.values()]


def find_changed(root: Path, targets: Sequence[str] | None) -> list[Stage]:
    """Give the stages whose code, params or inputs are not those of `dvc.lock`, whether or not their data is here.

    Data that is not here counts as what the lock says of it, so a clone can be asked before anything is checked out.

    Raises:
        PodiumError: as by `load_stages` and `select`.
    """

    def look(repo: Repo) -> list[Stage]:
        with repo.lock:
            stages = select(_list_stages(repo), targets)
            known = {stage.name: stage for stage in repo.index.stages if stage.path_in_repo == PIPELINE}
            upstream = [*known.values()]
            return [one for one in stages if known[one.name].changed(allow_missing=True, upstream=upstream)]

    return _ask(root, look)


def _explained(root: Path, error: DvcException) -> PodiumError:
    """Say which file DVC stumbled over, and the way out."""
    if isinstance(error, LockError):
        return TransientError(f"Another DVC command holds the workspace: {error}")
    if isinstance(error, SCMError) and find_commit(root) is None:
        return PodiumError(
            f"{root} is in no git repository, as a zip download is, and DVC needs one.", hint=MAKE_REPOSITORY
        )
    for path in (root / PIPELINE, root / LOCK, root / PARAMS):
        if conflict := describe_conflict(path):
            return PodiumError(conflict)
    if isinstance(error, ParseError):
        return PodiumError(
            f"DVC is {error}. `git diff {error.path}` shows what changed in it; `git checkout {error.path}` brings the "
            "committed one back."
        )
    return PodiumError(f"DVC cannot work with this project: {error}")
