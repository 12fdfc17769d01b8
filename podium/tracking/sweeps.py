"""Sweeps in MLflow: runs that were ranked together, and the address that shows them beside each other."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME

from podium.tracking.connection import connect, training_view

PREFIX = "podium.sweep."
"""Of the tag that a run has for each sweep; the sweep's key follows. It says which place the run's variant took."""


class Views(NamedTuple):
    """Addresses of MLflow's pages; empty where MLflow is no server.

    Attributes:
        listed: all runs, the best first.
        compared: the same side by side.
        pages: of the first run at each place.
    """

    listed: str
    compared: str
    pages: list[str]


def name_run(root: Path, run: str, name: str) -> None:
    """Give a run a name that tells it from those of the same candidate."""
    connect(root).set_tag(run, MLFLOW_RUN_NAME, name)


def tag_places(root: Path, dataset: str, key: str, places: Sequence[Sequence[str]], chances: Sequence[float]) -> Views:
    """Tell runs which place they took in a sweep.

    Args:
        root: the project's root.
        dataset: whose candidates were ranked.
        key: of the sweep.
        places: the ids of the runs at each place, the best first: one a seed, empty where MLflow has none.
        chances: of being the best, by place.

    Returns:
        Where to look at them.
    """
    client, digits = connect(root), len(str(len(places)))
    for number, (runs, chance) in enumerate(zip(places, chances, strict=True), start=1):
        for run in filter(None, runs):
            text = f"{number:0{digits}} of {len(places)}, best with {chance:.0%}"
            client.set_tag(run, f"{PREFIX}{key}", text)
    found = client.get_experiment_by_name(dataset)
    server = client.tracking_uri
    if found is None or not server.startswith("http"):
        return Views("", "", ["" for _ in places])
    experiment = str(found.experiment_id)
    return Views(
        listed=sweep_view(server, experiment, key),
        compared=compare_view(server, experiment, [run for runs in places for run in runs if run]),
        pages=[training_view(server, experiment, runs[0]) if runs[0] else "" for runs in places],
    )


def search_text(key: str) -> str:
    """Give what finds a sweep's runs in MLflow's search."""
    return f"tags.`{PREFIX}{key}` LIKE '%'"


def sweep_view(server: str, experiment: str, key: str) -> str:
    """Give the address at which MLflow lists a sweep's runs, the best first.

    Example:
        >>> sweep_view("http://127.0.0.1:5000", "1", "3fa8c1d2").partition("?")[0]
        'http://127.0.0.1:5000/#/experiments/1/runs'
    """
    order = f"tags.`{PREFIX}{key}`"
    query = {"searchFilter": search_text(key), "orderByKey": order, "orderByAsc": "true", "startTime": "ALL"}
    words = "&".join(f"{name}={quote(text, safe='')}" for name, text in query.items())
    return training_view(server, experiment).replace("?", "/runs?", 1) + f"&{words}"


def compare_view(server: str, experiment: str, runs: Sequence[str]) -> str:
    """Give the address at which MLflow holds runs side by side: params, metrics and curves."""
    query = {"runs": json.dumps([*runs]), "experiments": json.dumps([experiment])}
    words = "&".join(f"{name}={quote(text, safe='')}" for name, text in query.items())
    return training_view(server).replace("#/experiments?", "#/compare-runs?", 1) + f"&{words}"
