"""The version that a command is about: itself, the run that it came from, and what that run keeps."""

from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from podium.errors import PodiumError
from podium.files import file_digest
from podium.paths import ADDITIONS, LOCK, PARAMS, REVIEW
from podium.tracking.failures import is_transient
from podium.tracking.kept import ARCHIVE, ENVIRONMENT, LINEAGE, MACHINE, SOURCE
from podium.tracking.logged_model import download_version
from podium.tracking.names import CANDIDATE, find_run, find_version
from podium.tracking.published import download_files

_META = "registered_model_meta"
"""MLflow adds it to what it downloads: the version's name. It is no file of the model."""


@dataclass(frozen=True)
class Subject:
    """A version of a registered model, and its run.

    Attributes:
        version: as the registry has it.
        run: what trained it.
    """

    version: ModelVersion
    run: Run

    @property
    def title(self) -> str:
        """Its name for people: `digits/3`."""
        return f"{self.version.name}/{self.version.version}"

    @property
    def dataset(self) -> str:
        """The dataset that it was trained on, which the registered model is named after."""
        return str(self.version.name)

    @property
    def candidate(self) -> str:
        """The candidate that it was."""
        return str(self.run.data.tags.get(CANDIDATE, self.run.info.run_name))


def find_subject(client: MlflowClient, name: str) -> Subject:
    """Find a version by its number or an alias.

    Raises:
        PodiumError: there is none, or it came from no run.
    """
    version = find_version(client, name)
    return Subject(version, client.get_run(find_run(version)))


def fetch_lineage(client: MlflowClient, subject: Subject, folder: Path) -> dict[str, Path]:
    """Download what the run keeps of how it was made; give each file by its name, as far as it is there."""
    files = (LOCK.name, PARAMS.name, REVIEW.name, ADDITIONS.name)
    wanted = [f"{LINEAGE}/{name}" for name in (*files, "split.csv", SOURCE, MACHINE, ENVIRONMENT, ARCHIVE)]
    found = download_files(client, subject.run.info.run_id, wanted, folder)
    return {path.rpartition("/")[2]: file for path, file in found.items()}


def fetch_model(client: MlflowClient, version: ModelVersion, folder: Path) -> Path:
    """Download the logged model of a version; give its folder.

    Raises:
        PodiumError: its files are gone.
    """
    gone = PodiumError(f"The files of {version.name}/{version.version} are gone: its logged model has no MLmodel.")
    try:
        model = download_version(client, version, folder)
    except MlflowException as error:
        if is_transient(error) and client.tracking_uri.startswith("http"):
            raise
        raise gone from error
    (model / _META).unlink(missing_ok=True)
    if not (model / "MLmodel").is_file():
        raise gone
    return model


def digest_files(folder: Path) -> dict[str, str]:
    """Give the sha256 of each file of a folder, by its path in it, in order."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}
