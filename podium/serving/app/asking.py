"""What the app asks of MLflow: which models there are, their files, and what is known of them.

Imports MLflow, which takes seconds: the page is there before.
"""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from mlflow import MlflowClient

from podium.errors import TransientError
from podium.evaluation.intervals import Estimate
from podium.serving.app.about import About, Result
from podium.serving.app.shelf import Model, Registered
from podium.serving.finding import Found
from podium.serving.predictor import Predictor
from podium.tracking.connection import quote_filter, training_view
from podium.tracking.names import CARD, DECIDED, WITHDRAWN, ask_if_there
from podium.tracking.published import REPORTS, download_files
from podium.tracking.reaching import reaching

logger = logging.getLogger(__name__)

COMPARISON, DECISION, PAGE = "comparison.csv", "decision.json", "index.html"
MAX_BYTES = 1 << 20
"""Of the decision's file."""


def load(root: Path, found: Found) -> Model:
    """Load a model that was found, and find out what is known of it.

    Raises:
        PodiumError: it cannot be loaded, or does not say what it said when it was evaluated.
    """
    return Model(Predictor.load(found), read_about(root, found), found.facts.tags.get(WITHDRAWN, ""))


def read_registered(root: Path) -> dict[str, Registered]:
    """Ask MLflow which registered models, versions and aliases there are.

    Raises:
        TransientError: it does not answer.
        PodiumError: it has nothing yet.
    """
    known = {}
    with reaching(root, "champion") as client:
        models = client.search_registered_models(max_results=100)
        for model in sorted(models, key=lambda one: str(one.name)):
            versions = client.search_model_versions(f"name = {quote_filter(str(model.name))}", max_results=1000)
            numbers = sorted((int(one.version) for one in versions), reverse=True)
            known[str(model.name)] = Registered(
                tuple(map(str, numbers)),
                {str(alias): str(number) for alias, number in model.aliases.items()},
                {str(one.version): str(one.tags[WITHDRAWN]) for one in versions if WITHDRAWN in one.tags},
            )
    return known


def read_about(root: Path, found: Found) -> About:
    """Find out what MLflow knows of a version; while it does not answer, what is known already."""
    metrics, tags, run_id = found.facts.metrics, found.facts.tags, found.facts.run_id
    known = About(test=_read_test(metrics), verdict=tags.get(DECIDED, ""), place=tags.get(CARD, ""), run=run_id)
    if not run_id:
        return known
    try:
        with reaching(root, found.title) as client, TemporaryDirectory(prefix="podium-") as folder:
            return _complete(client, known, Path(folder))
    except TransientError as error:
        logger.warning("%s Nothing more is known of %s.", error, found.title)
        return known


def _complete(client: MlflowClient, known: About, folder: Path) -> About:
    run = ask_if_there(client.get_run, known.run)
    if run is None:
        return known
    wanted = f"{REPORTS}/{COMPARISON}"
    comparison = download_files(client, known.run, [wanted], folder / REPORTS).get(wanted)
    place = f"{known.place}/{PAGE}" if known.place else ""
    server = client.tracking_uri if client.tracking_uri.startswith("http") else ""
    return About(
        test=known.test,
        results=() if comparison is None else _read_results(comparison),
        verdict=known.verdict,
        reason=_read_reason(client, known, folder / "decision") if known.place else "",
        card=training_view(server, run.info.experiment_id, known.run, place) if server and place else "",
        place=place,
        run=training_view(server, run.info.experiment_id, known.run) if server else known.run,
    )


def _read_test(metrics: Mapping[str, float]) -> Estimate | None:
    if "test/accuracy" not in metrics:
        return None
    low, high = (metrics.get(f"test/accuracy/{end}") for end in ("low", "high"))
    return Estimate(metrics["test/accuracy"], low, high)


def _read_results(path: Path) -> tuple[Result, ...]:
    table = pd.read_csv(path, dtype={"model": str, "verdict": str, "source": str})
    texts = table[["model", "metric", "split", "verdict", "source"]].fillna("").astype(str)
    rows = zip(texts.to_dict("records"), table[["value", "low", "high"]].astype(float).to_dict("records"), strict=True)
    return tuple(
        Result(
            model=text["model"],
            metric=f"{text['metric'].replace('_', ' ')}, {text['split']}",
            value=number["value"],
            low=number["low"],
            high=number["high"],
            verdict=text["verdict"],
            source=text["source"],
        )
        for text, number in rows
    )


def _read_reason(client: MlflowClient, known: About, folder: Path) -> str:
    """Give the reason of a decision; empty if it is gone, or was written by another podium."""
    wanted = f"{known.place}/{DECISION}"
    path = download_files(client, known.run, [wanted], folder).get(wanted)
    if path is None or path.stat().st_size > MAX_BYTES:
        return ""
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return str(content["decision"]["reason"])
    except (ValueError, KeyError, TypeError) as error:
        logger.warning("%s of run %s cannot be read: %r", wanted, known.run, error)
        return ""
