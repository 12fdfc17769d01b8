"""A model found by what people call it, and its files, which are fetched once and kept.

.dvc/tmp/podium-models/models/<digest>/      the files of a logged model
.dvc/tmp/podium-models/names/<digest>.json   which of them a name meant when it was last asked for, and its facts

So the second time is quick, and works while MLflow is away. What nobody asked for in a month goes when something new
comes. The folder can be removed at any time.
"""

import json
import logging
import math
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from podium.config import Params, load_params
from podium.errors import PodiumError, TransientError, nearest
from podium.files import atomic_write, file_digest, json_digest, remove, save_json
from podium.paths import PARAMS, CandidatePaths, DatasetPaths
from podium.tracking.connection import shown_uri, tracking_uri
from podium.tracking.logged_model import download_version, gather_artifacts
from podium.tracking.names import CANDIDATE, ask_if_there, find_version, warn_if_withdrawn
from podium.tracking.packing import ARTIFACTS, DIGESTS, pack_model
from podium.tracking.reaching import reaching

logger = logging.getLogger(__name__)

MODELS = Path(".dvc/tmp/podium-models")
MLMODEL, CHAMPION = "MLmodel", "champion"
KEPT_SECONDS = 30 * 24 * 3600
"""After which files that nobody asked for are removed."""


@dataclass(frozen=True)
class Facts:
    """What the registry says of a model, for people; empty where it says nothing.

    Attributes:
        dataset: that it was trained on.
        candidate: that it was.
        run_id: of its run in MLflow.
        metrics: of its run: `test/accuracy`.
        tags: of its version: `podium.decision`, `podium.data`, `podium.withdrawn`.
        aliases: of its version, as it was found: `champion`.
        description: of its version, in Markdown: the gate's decision and figures.
        where: MLflow's address, without a password.
    """

    dataset: str = ""
    candidate: str = ""
    run_id: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    description: str = ""
    where: str = ""


@dataclass(frozen=True)
class Found:
    """A model that was found.

    Attributes:
        folder: the logged model's, with `MLmodel` and `artifacts`; only to be read.
        name: the registered model's, or the candidate's, or the folder's.
        version: its number in the registry; empty for one that is not from there.
        facts: what is known of it beside its files.
    """

    folder: Path
    name: str
    version: str
    facts: Facts

    @property
    def title(self) -> str:
        """Its name for people: `digits/3`."""
        return f"{self.name}/{self.version}" if self.version else self.name


def find_model(root: Path, reference: str) -> Found:
    """Find a model, and fetch its files if they are not here.

    Args:
        root: the project's root.
        reference: `digits@champion`, `digits/3`, `models:/digits/3`; the folder of a logged model, absolute or
            relative to the current one, which begins with a dot if it looks like a version; or a candidate of
            params.yaml, as it is trained here.

    Raises:
        TransientError: MLflow does not answer, and its files were never fetched.
        PodiumError: there is no such model.
    """
    if is_registered(reference):
        return _find_registered(root, reference)
    if (Path(reference) / MLMODEL).is_file():
        return Found(Path(reference).resolve(), Path(reference).resolve().name, "", Facts())
    params = load_params(root / PARAMS)
    if reference in params.candidates:
        return _find_candidate(root, params, reference)
    raise PodiumError(
        f"There is no model '{reference}'. Expected a version, digits@champion or digits/3, the folder of a logged "
        f"model, which holds {MLMODEL}, or a candidate. Candidates: {nearest(reference, params.candidates)}"
    )


def is_registered(reference: str) -> bool:
    """Say whether a model's name is meant for the registry: `digits@champion`, `digits/3`."""
    if reference.startswith("models:/"):
        return True
    if Path(reference).is_absolute() or reference.startswith("."):
        return False
    return "@" in reference or reference.rpartition("/")[2].isdecimal()


def choose_champion(root: Path) -> str:
    """Give the name of the champion that is meant where nobody names a model: that of the only dataset which has one.

    Args:
        root: the project's root.

    Raises:
        TransientError: MLflow does not answer, and there are several datasets.
        PodiumError: none has a champion, or several have.
    """
    params = load_params(root / PARAMS)
    names = [f"{dataset}@{CHAMPION}" for dataset in params.datasets]
    if len(names) == 1:
        return names[0]
    with reaching(root, names[0]) as client:
        champions = [
            f"{dataset}@{CHAMPION}"
            for dataset in params.datasets
            if ask_if_there(client.get_model_version_by_alias, dataset, CHAMPION) is not None
        ]
    if len(champions) == 1:
        return champions[0]
    if champions:
        raise PodiumError(f"There are several champions. Name one: --model {' or --model '.join(champions)}.")
    raise PodiumError(
        f"No dataset of {PARAMS} has a champion yet: `podium run` trains and promotes. Or name a candidate that is "
        f"trained here: --model {next(iter(params.candidates))}."
    )


def _find_registered(root: Path, reference: str) -> Found:
    uri = tracking_uri(root)
    name = root / MODELS / "names" / f"{json_digest([uri, reference])}.json"
    try:
        with reaching(root, reference) as client:
            version = find_version(client, reference)
            key = json_digest([uri, version.name, str(version.version), str(version.source)])
            folder = _keep(root, key, lambda place: _download(client, version, place))
            found = Found(folder, str(version.name), str(version.version), _describe(client, version))
    except TransientError as error:
        if (known := _recall(root, name)) is None:
            raise
        warn_if_withdrawn(known.title, dict(known.facts.tags))
        logger.warning("%s Using %s as it was when MLflow was last asked for %s.", error.what, known.title, reference)
        return known
    with atomic_write(name) as part:
        save_json({"key": key, "name": found.name, "version": found.version, "facts": asdict(found.facts)}, part)
    return found


def _recall(root: Path, name: Path) -> Found | None:
    """Give what a name meant when MLflow last answered, if its files are still here."""
    try:
        known = json.loads(name.read_text(encoding="utf-8"))
        facts = Facts(**known["facts"] | {"aliases": tuple(known["facts"]["aliases"])})
        folder = root / MODELS / "models" / known["key"]
        found = Found(folder, str(known["name"]), str(known["version"]), facts)
    except (OSError, ValueError, KeyError, TypeError):  # never asked for, or written by another podium
        return None
    return found if _is_whole(folder) else None


def _describe(client: MlflowClient, version: ModelVersion) -> Facts:
    run = ask_if_there(client.get_run, version.run_id) if version.run_id else None
    return Facts(
        dataset=str(version.name),
        candidate=str(version.tags.get(CANDIDATE, "")),
        run_id=str(version.run_id or ""),
        metrics={} if run is None else {key: value for key, value in run.data.metrics.items() if math.isfinite(value)},
        tags=dict(version.tags),
        aliases=tuple(map(str, version.aliases or ())),
        description=str(version.description or ""),
        where=shown_uri(client.tracking_uri),
    )


def _find_candidate(root: Path, params: Params, name: str) -> Found:
    """Pack what the stages left of a candidate, as it would be logged."""
    paths, dataset = CandidatePaths(name, params.candidate(name).dataset), params.candidate(name).dataset
    model, reports, processed = root / paths.model, root / paths.reports, root / DatasetPaths(dataset).processed
    parts = [model, reports / "predictions.parquet", processed / "classes.json"]
    if missing := [part for part in parts if not part.is_file()]:
        raise PodiumError(
            f"{name} is not trained and evaluated here: {missing[0].relative_to(root)} is missing. "
            f"Run `dvc repro evaluate@{name}`."
        )
    parts += [part for part in (root / paths.thresholds, reports / "model_card.md") if part.is_file()]
    image = params.dataset(dataset).image

    def pack(place: Path) -> Path:
        (place / "model").mkdir()
        pack_model(
            place / "model", gather_artifacts(place / "model" / ARTIFACTS, model, processed, reports, image), "", ""
        )
        return place / "model"

    key = json_digest([repr(image), *(f"{part.name} {file_digest(part)}" for part in parts)])
    return Found(_keep(root, key, pack), name, "", Facts(dataset=dataset, candidate=name))


def _download(client: MlflowClient, version: ModelVersion, place: Path) -> Path:
    folder = download_version(client, version, place)
    if not _is_whole(folder):
        raise PodiumError(
            f"The files of {version.name}/{version.version} are damaged or gone: they are not those that were logged. "
            f"`podium verify {version.name}/{version.version}` names them."
        )
    return folder


def _keep(root: Path, key: str, make: Callable[[Path], Path]) -> Path:
    """Give the folder that is kept by a key; where it is not there, or not whole, make it.

    Args:
        root: the project's root.
        key: the same for the same files.
        make: puts a folder with the files into an empty one, and gives it.
    """
    kept = root / MODELS / "models" / key
    if kept.is_dir() and _is_whole(kept):
        os.utime(kept)
        return kept
    kept.parent.mkdir(parents=True, exist_ok=True)
    _remove_old(kept.parent)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=kept.parent) as temporary:
        made = make(Path(temporary))
        if kept.is_dir():
            if _is_whole(kept):  # another process was faster
                return kept
            kept.rename(Path(temporary) / "damaged")
        made.rename(kept)
        os.utime(kept)  # a copy may have the time of what it was copied from
    return kept


def _remove_old(models: Path) -> None:
    """Remove what nobody asked for in a month, and what a kill left half made."""
    for folder in models.iterdir():
        with suppress(FileNotFoundError):  # another process was faster
            if folder.stat().st_mtime < time.time() - KEPT_SECONDS:
                remove(folder)


def _is_whole(folder: Path) -> bool:
    """Say whether the files of a logged model are as they were written; one of an older podium has no digests."""
    if not (folder / MLMODEL).is_file():
        return False
    try:
        digests: dict[str, Any] = json.loads((folder / DIGESTS).read_text(encoding="utf-8"))
        files = {folder / name: digest for name, digest in digests.items()}
        return all(
            file.resolve().is_relative_to(folder.resolve()) and file_digest(file) == digest
            for file, digest in files.items()
        )
    except FileNotFoundError:
        return not (folder / DIGESTS).exists()
    except (OSError, ValueError, AttributeError):
        return False
