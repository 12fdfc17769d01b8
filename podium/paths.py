"""Where each dataset's and each candidate's files live, relative to the project's root.

`dvc.yaml` names the same places; a test holds the two together.
"""

from dataclasses import dataclass
from pathlib import Path

from podium.errors import PodiumError

PARAMS = Path("params.yaml")
LOCK = Path("dvc.lock")
DOWNLOADS = Path("data/downloads")
LICENCES = "licences.json"
"""In a dataset's folder of downloads: the licences that Kaggle names, until they are written down with the archive."""
REVIEW = Path("data/review.csv")
"""What people decided of single images; in git."""
REVIEW_COLUMNS = ["dataset", "id", "sha256", "decision", "note"]
ADDITIONS = Path("data/additions.csv")
"""The accepted labels: which images people added to which dataset, as what; in git."""
ADDITIONS_COLUMNS = ["dataset", "label", "sha256", "file"]
REQUESTS = Path("data/requests")
"""What was asked of models that are served, where somebody wants that noted. It can be removed at any time."""
FEATURES = Path("data/features")
"""The feature cache: what pretrained backbones computed of images. It can be removed at any time."""

CLONES = Path(".dvc/tmp/podium-clones")
"""The isolated clones that are at work, see `podium.workspace.clone`."""
HOME = Path(".dvc/tmp/podium-home")
"""In an isolated clone: the root of the project that it was made from."""


def home(root: Path) -> Path:
    """Give the project that a root belongs to: itself, or the one that an isolated clone was made from.

    What outlives a clone is there: MLflow's store, results that wait for it, what stages took.
    """
    try:
        return Path((root / HOME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return root


def project_root() -> Path:
    """Find the project that the current folder belongs to.

    Returns:
        The absolute path of the nearest folder, upwards, that holds a `dvc.yaml`.

    Raises:
        PodiumError: the current folder is in no project.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise PodiumError(
        f"{here} is in no podium project: neither here nor above is there a dvc.yaml. "
        "Change into your clone of the project and try again."
    )


@dataclass(frozen=True)
class DatasetPaths:
    """The places of one dataset."""

    name: str

    @property
    def downloads(self) -> Path:
        """The folder of what is still arriving, or was put there by hand. No output of DVC, so that it stays."""
        return DOWNLOADS / self.name

    @property
    def raw(self) -> Path:
        """The folder of what arrived, as it arrived."""
        return Path("data/raw") / self.name

    @property
    def lock(self) -> Path:
        """What is known of the archive that arrived: its source, size and sha256."""
        return Path("data/raw") / f"{self.name}.json"

    @property
    def manifest(self) -> Path:
        """The table with one row an image."""
        return Path("data/manifests") / f"{self.name}.parquet"

    @property
    def accepted(self) -> Path:
        """The manifest of the version that was accepted last; DVC keeps it, its `.dvc` file is in git."""
        return Path("data/accepted") / f"{self.name}.parquet"

    @property
    def additions(self) -> Path:
        """The folder of the images that people added; DVC keeps it, its `.dvc` file is in git."""
        return Path("data/additions") / self.name

    @property
    def processed(self) -> Path:
        """The folder with one folder of arrays per split, the class names and the split manifest."""
        return Path("data/processed") / self.name

    @property
    def validation(self) -> Path:
        """The folder of the validation's findings."""
        return Path("reports") / self.name / "validation"

    @property
    def init(self) -> Path:
        """The page of what `podium init` found. No output of DVC: it can be removed at any time."""
        return Path("reports") / self.name / "init.html"

    @property
    def croissant(self) -> Path:
        """The dataset's metadata for other programs."""
        return Path("reports") / self.name / "croissant.json"


@dataclass(frozen=True)
class CandidatePaths:
    """The places of one candidate."""

    name: str
    dataset: str

    @property
    def model(self) -> Path:
        """The trained model."""
        return Path("models") / self.name / "model.keras"

    @property
    def history(self) -> Path:
        """The table that grows by one row per epoch while the candidate trains."""
        return Path("models") / self.name / "history.csv"

    @property
    def checkpoint(self) -> Path:
        """The state of a training that is not over. No output of DVC, so that it stays when a stage begins again."""
        return Path("models") / self.name / "checkpoint.npz"

    def checkpoint_of(self, seed: int) -> Path:
        """Give the place of the same, of a training with a further seed."""
        return self.checkpoint.with_name(f"checkpoint-{seed}.npz")

    @property
    def repeats(self) -> Path:
        """The folder of the trainings with further seeds, each a folder with a model and a history."""
        return Path("models") / self.name / "repeats"

    @property
    def further_seeds(self) -> Path:
        """The list of those seeds. It is there even if there are none, as DVC warns of an empty folder."""
        return self.repeats / "seeds.csv"

    @property
    def calibration(self) -> Path:
        """The temperature that each seed's model was given, see `podium.training.temperature`."""
        return Path("models") / self.name / "calibration.json"

    @property
    def thresholds(self) -> Path:
        """How sure the model has to be to answer; `evaluate` writes it beside the model."""
        return Path("models") / self.name / "thresholds.json"

    @property
    def seconds(self) -> Path:
        """How long the training took. No output of DVC, as times differ: it can be removed at any time."""
        return Path("models") / self.name / "seconds.json"

    @property
    def tensorboard(self) -> Path:
        """The folder of the history for TensorBoard. No output of DVC: it can be removed at any time."""
        return Path("models") / self.name / "tensorboard"

    @property
    def reports(self) -> Path:
        """The folder of the candidate's figures, tables and images."""
        return Path("reports") / self.dataset / self.name
