"""What is known of each of two models by itself: its figures, and how it serves, measured on one machine."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from podium.config.gates import Metric
from podium.errors import PodiumError
from podium.files import file_digest
from podium.registry.decision import Measures
from podium.registry.describing import write
from podium.tracking.failures import first_words, is_transient

logger = logging.getLogger(__name__)

P95, PEAK, PROBED_ON = "podium.p95_ms", "podium.peak_mb", "podium.probed_on"
MODEL_DIGEST = "podium.model_sha256"
"""Tags of a version: how it served in a clean process, and the digest of its model file."""
MODEL_FILE = "model.keras"
METRICS: tuple[Metric, ...] = ("accuracy", "macro_f1", "loss", "mean_iou", "joint_accuracy")


@dataclass(frozen=True)
class Served:
    """How a version serves.

    Attributes:
        p95_ms: the 95th percentile of the milliseconds for one image; None if it was not measured.
        peak_mb: the most memory of the process, in megabytes; None likewise.
        machine: which one it was measured on.
        fault: why it does not serve, in a sentence; empty if it does.
    """

    p95_ms: float | None
    peak_mb: float | None
    machine: str
    fault: str = ""


Serve = Callable[[MlflowClient, ModelVersion], Served]


def serve(client: MlflowClient, version: ModelVersion) -> Served:
    """Let a version serve in a clean process, and keep how it did as tags of the version.

    A version whose files are gone does not serve: that is a fault like others.
    """
    from podium.serving.probe import probe
    from podium.tracking.logged_model import download_version

    with TemporaryDirectory(prefix="podium-") as folder:
        try:
            model = download_version(client, version, Path(folder))
        except (MlflowException, PodiumError, OSError) as error:
            if is_transient(error):
                raise
            return Served(None, None, "", f"Its files cannot be fetched: {first_words(error)}")
        tags = {}
        if file := next(iter(sorted(model.rglob(MODEL_FILE))), None):
            tags[MODEL_DIGEST] = file_digest(file)
        probed = probe(model)
        if not probed.fault:
            tags |= {P95: f"{probed.p95_ms:.3f}", PEAK: f"{probed.peak_mb:.1f}", PROBED_ON: probed.machine}
    for key, value in tags.items():
        write(client.set_model_version_tag, version.name, str(version.version), key, value)
    logger.info(
        "%s/%s in a clean process: %s", version.name, version.version, probed.fault or f"{probed.p95_ms:.1f} ms"
    )
    if probed.fault:
        return Served(None, None, probed.machine, probed.fault)
    return Served(probed.p95_ms, probed.peak_mb, probed.machine)


def serve_both(
    client: MlflowClient, challenger: ModelVersion, champion: ModelVersion | None
) -> tuple[Served, Served | None]:
    """Say how both serve, measured on the same machine; what was measured before is not measured again."""
    mine = recall_served(challenger) or serve(client, challenger)
    if champion is None:
        return mine, None
    theirs = recall_served(champion)
    if theirs is None or theirs.machine != mine.machine:
        theirs = serve(client, champion)
    if theirs.machine and theirs.machine != mine.machine:
        mine = serve(client, challenger)
    return mine, theirs


def recall_served(version: ModelVersion) -> Served | None:
    """Give how a version served before, from its tags; None if that is not known."""
    tags = version.tags
    try:
        return Served(float(tags[P95]), float(tags[PEAK]), tags[PROBED_ON])
    except (KeyError, ValueError):
        return None


def make_measures(figures: dict[str, float], served: Served | None) -> Measures:
    """Put together what is known of a model.

    Args:
        figures: the metrics of its run in MLflow, see `podium.tracking.figures`.
        served: how it serves; None if that is not known.
    """
    known = served or Served(None, None, "")
    size = figures.get("cost/model_bytes")
    return Measures(
        metrics={name: figures[f"validation/{name}"] for name in METRICS if f"validation/{name}" in figures},
        ece=figures.get("validation/ece"),
        model_bytes=None if size is None else int(size),
        p95_ms=known.p95_ms,
        peak_mb=known.peak_mb,
        machine=known.machine,
        fault=known.fault,
    )
