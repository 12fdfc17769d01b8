"""What people call a model in MLflow: `digits/3`, `digits@champion`, a run's id; and what was recalled."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode

from podium.errors import PodiumError, nearest
from podium.tracking.connection import quote_filter

logger = logging.getLogger(__name__)

Found = TypeVar("Found")

CANDIDATE = "podium.candidate"
"""The tag of a run and of a version that names what was trained."""
DECIDED, CARD = "podium.decision", "podium.card"
"""Tags of a version: the verdict of its newest decision, and where that lies among its run's artifacts."""
WITHDRAWN = "podium.withdrawn"
"""The tag of a version that was recalled, of its run and of its logged model. It says why."""
ABSENT = frozenset({ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), ErrorCode.Name(INVALID_PARAMETER_VALUE)})
"""MLflow's error codes for what is not there; the second one for an alias, or for an id that cannot be one."""

_MODEL = re.compile(r"(?:models:/)?(?P<model>[^/@]+)(?:/(?P<version>\d+)|@(?P<alias>[^/@]+))")
_LOGGED = re.compile(r"models:/m-[0-9a-f]+")
_RUN = re.compile(r"(?:runs:/)?(?P<run>[0-9a-f]{32})")


@dataclass(frozen=True)
class ModelName:
    """The name of a version of a registered model.

    Attributes:
        model: the registered model's name, which is the dataset's.
        version: its number; empty if the alias is named.
        alias: empty if the number is named.
    """

    model: str
    version: str
    alias: str


def parse_run(name: str) -> str | None:
    """Give the id in `3f2a…` or `runs:/3f2a…`; None if a name is none of a run."""
    found = _RUN.fullmatch(name)
    return found["run"] if found else None


def parse_model(name: str) -> ModelName:
    """Take `digits/3`, `digits@champion`, `models:/digits/3` apart.

    Raises:
        PodiumError: the name is none of these.
    """
    found = _MODEL.fullmatch(name)
    if found is None:
        raise PodiumError(f"'{name}' is no name of a model in MLflow. Expected digits/3 or digits@champion.")
    return ModelName(found["model"], found["version"] or "", found["alias"] or "")


def find_version(client: MlflowClient, name: str) -> ModelVersion:
    """Find the version that a name means; one that was recalled is given, with a warning.

    Raises:
        PodiumError: there is none.
    """
    wanted = parse_model(name)
    try:
        if wanted.alias:
            version = client.get_model_version_by_alias(wanted.model, wanted.alias)
        else:
            version = client.get_model_version(wanted.model, wanted.version)
    except MlflowException as error:
        if error.error_code in ABSENT:
            raise PodiumError(f"MLflow has no '{name}'. {_describe_known(client, wanted.model)}") from None
        raise
    warn_if_withdrawn(f"{version.name}/{version.version}", version.tags)
    return version


def ask_if_there(ask: Callable[..., Found], *arguments: Any) -> Found | None:
    """Give what MLflow answers; None if it has no such thing, or not any more."""
    try:
        return ask(*arguments)
    except MlflowException as error:
        if error.error_code in ABSENT:
            return None
        raise


def find_run(version: ModelVersion) -> str:
    """Give the id of the run that a version came from.

    Raises:
        PodiumError: it was registered without one.
    """
    if not version.run_id:
        raise PodiumError(
            f"{version.name}/{version.version} was registered without a run: nothing is known of how it was evaluated."
        )
    return str(version.run_id)


def find_logged_model(version: ModelVersion) -> str:
    """Give the id of the logged model that a version is of; empty if it is of none. Its own field stays empty."""
    return str(version.source or "").removeprefix("models:/") if _LOGGED.fullmatch(str(version.source)) else ""


def warn_if_withdrawn(name: str, tags: dict[str, str]) -> None:
    """Say it wherever somebody asks for a version, or a run, that was recalled."""
    if WITHDRAWN in tags:
        logger.warning("%s was recalled: %s", name, tags[WITHDRAWN])


def _describe_known(client: MlflowClient, model: str) -> str:
    """Say which models there are, or which versions and aliases one has."""
    models = {one.name: one for one in client.search_registered_models(max_results=100)}
    if model not in models:
        return f"Registered models: {nearest(model, models)}"
    versions = sorted(int(one.version) for one in client.search_model_versions(f"name = {quote_filter(model)}"))
    names = [*(f"{model}/{number}" for number in versions), *(f"{model}@{alias}" for alias in models[model].aliases)]
    return f"There are: {', '.join(names)}."
