"""What a training result came from: its data, its params, its code and its environment, in digests and names."""

import socket
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from podium.config import Augmentation, Params
from podium.datasets.arrays import SPLITS, open_split
from podium.errors import PodiumError
from podium.files import json_digest
from podium.git import ask_git, describe_conflict, find_commit
from podium.paths import LOCK, DatasetPaths, home
from podium.tracking.kept import describe_machine, find_edited

WORKSPACE = "podium.workspace"
"""The tag of a run that names the checkout in which it was made."""


@dataclass(frozen=True)
class Lineage:
    """The digests that tell one training result from another.

    Attributes:
        intent: of what was asked for: the candidate, its schedule and its data. Known before training.
        training_key: of what came out, the intent included. Two results with the same one are the same.
        evaluation: of the reports on it.
        data: of the dataset's arrays.
    """

    intent: str
    training_key: str
    evaluation: str
    data: str


@dataclass(frozen=True)
class Facts:
    """What a run is told of where it comes from that no file of its candidate says; later it could be found otherwise.

    Attributes:
        tags: the code and the workspace.
        environment: the installed distributions, one a line.
        splits: of each split, the number of its images (`images`), their `shape`, and the place of its arrays (`uri`).
        source: the `commit`, and the tracked files that were `edited` since.
        machine: see `podium.tracking.kept.describe_machine`.
    """

    tags: dict[str, str]
    environment: str
    splits: dict[str, dict[str, Any]]
    source: dict[str, Any]
    machine: dict[str, Any]


def read_facts(root: Path, dataset: str) -> Facts:
    """Find out what is true here and now; see `Facts`."""
    processed = root / DatasetPaths(dataset).processed
    lasting = home(root) / DatasetPaths(dataset).processed  # a clone is removed
    splits = {}
    for name in SPLITS:
        split = open_split(processed / name)
        shape = list(split.images.shape[1:])
        splits[name] = {"images": len(split), "shape": shape, "uri": (lasting / name).as_uri()}
    tags = {WORKSPACE: workspace(root), **describe_source(root)}
    source = {"commit": find_commit(root), "edited": find_edited(root)}
    return Facts(tags, describe_environment(), splits, source, describe_machine())


def read_intent(root: Path, params: Params, name: str) -> str:
    """Give the digest of what is asked for, once the candidate's data is there. See `Lineage`."""
    candidate = params.candidate(name)
    schedule = params.schedule(candidate.schedule)
    data = _find_arrays(_read_lock(root), candidate.dataset)
    return json_digest([name, asdict(candidate), asdict(schedule), [data]])


def read_lineage(root: Path, params: Params, name: str) -> Lineage:
    """Read a trained candidate's digests from `dvc.lock`.

    Raises:
        PodiumError: the candidate is not trained and evaluated yet.
    """
    lock = _read_lock(root)
    intent = read_intent(root, params, name)
    data = _find_arrays(lock, params.candidate(name).dataset)
    reports = [_entry(lock, f"{stage}@{name}")["outs"] for stage in ("evaluate", "confusion_matrix")]
    return Lineage(
        intent=intent,
        training_key=json_digest([intent, _entry(lock, f"train@{name}")["outs"]]),
        evaluation=json_digest(reports),
        data=data["md5"].removesuffix(".dir"),
    )


def _find_arrays(lock: dict[str, Any], dataset: str) -> dict[str, Any]:
    """Give what DVC knows of a dataset's arrays; the metadata that `preprocess` writes, too, changes no result."""
    arrays = DatasetPaths(dataset).processed.as_posix()
    outs: list[dict[str, Any]] = _entry(lock, f"preprocess@{dataset}")["outs"]
    return next(out for out in outs if out["path"] == arrays)


def describe_candidate(params: Params, name: str) -> dict[str, str]:
    """Flatten a candidate's choices to params; a phase's are prefixed with its name (`head.learning_rate`).

    What is not asked for is left out.
    """
    candidate = params.candidate(name)
    schedule = params.schedule(candidate.schedule)
    choices: dict[str, Any] = {
        "candidate": name,
        "dataset": candidate.dataset,
        "image": "x".join(map(str, params.dataset(candidate.dataset).image.shape)),
        "model": asdict(candidate.model),
        "schedule": candidate.schedule,
        **{key: value for key, value in asdict(schedule).items() if key not in ("phases", "augmentation")},
        "augmentation": _in_one_line(schedule.augmentation),
        **{phase.name: asdict(phase) for phase in schedule.phases},
    }
    return dict(_flatten("", choices))


def describe_source(root: Path) -> dict[str, str]:
    """Give the tags that say which code made the run: MLflow's own for the commit, and whether it is edited.

    Raises:
        PodiumError: git cannot say; see `find_commit`. A project in no repository is told as such.
    """
    commit = find_commit(root)
    changes = ask_git(root, "status", "--porcelain", "--untracked-files=no")
    return {
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.git.commit": commit or "not in git",
        "podium.edited": "unknown" if changes is None else "yes" if changes.strip() else "no",
    }


@cache
def describe_environment() -> str:
    """List the installed distributions with their versions, one a line."""
    found = {dist.metadata["Name"].lower(): dist.version for dist in distributions() if dist.metadata["Name"]}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def workspace(root: Path) -> str:
    """Name this checkout among all that share an MLflow server."""
    return f"{socket.gethostname()}:{root}"


def _read_lock(root: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(root / LOCK)
    except FileNotFoundError:
        return {}
    except YAMLError as error:
        undo = f"`git checkout {LOCK}` brings the committed one back."
        raise PodiumError(describe_conflict(root / LOCK) or f"{LOCK} is not valid YAML: {error} {undo}") from error
    stages: dict[str, Any] = content["stages"]
    return stages


def _entry(lock: dict[str, Any], stage: str) -> dict[str, Any]:
    if stage not in lock:
        raise PodiumError(f"{stage} has not run yet: {LOCK} does not know it. Run `dvc repro {stage}`.")
    entry: dict[str, Any] = lock[stage]
    return entry


def _flatten(prefix: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        inner = [pair for key, item in value.items() if key != "name" for pair in _flatten(f"{prefix}.{key}", item)]
        return [(key.removesuffix(".kind"), text) for key, text in inner]
    return [] if value is None else [(prefix.removeprefix("."), str(value))]


def _in_one_line(augmentation: Augmentation | None) -> str | None:
    if augmentation is None:
        return None
    asked = {name: value for name, value in asdict(augmentation).items() if value is not None}
    return ", ".join(f"{name} {value if isinstance(value, str) else f'{value:g}'}" for name, value in asked.items())
