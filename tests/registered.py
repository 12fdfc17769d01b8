"""A version in the MLflow of a project, made without training, a gate or a process that serves; and git."""

import os
import subprocess
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from podium.files import file_digest
from podium.registry.journal import make_entry
from podium.registry.registry import Registry
from podium.tracking.connection import speaking_to
from tests.trained import DATASET, Trained

NAME = "digits-dense"


def commit_all(root: Path, message: str = "all") -> None:
    """Commit everything in a folder; make it a repository first, if it is none."""
    environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull}
    git = ["git", "-C", str(root), "-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    for command in (["init", "-q"], ["add", "--all"], ["commit", "-qm", message]):
        subprocess.run([*git, *command], env=environment, check=True)


def register(trained: Trained, name: str = NAME) -> ModelVersion:
    """Publish a candidate and make it champion, with an entry in the journal."""
    result = trained.ledger.publish(name)
    client = trained.client
    if not client.search_registered_models(f"name = '{DATASET}'"):
        client.create_registered_model(DATASET)
    digest = file_digest(trained.root / trained.paths(name).model)
    tags = {"podium.candidate": name, "podium.splits": result.splits, "podium.model_sha256": digest}
    with speaking_to(client.tracking_uri):
        source = f"models:/{result.model_id}"
        version = client.create_model_version(DATASET, source, result.run_id, tags=tags, model_id=result.model_id)
    promote(trained, str(version.version))
    return client.get_model_version(DATASET, version.version)


def promote(trained: Trained, number: str) -> None:
    """Make a version champion by the journal."""
    registry = Registry(trained.client, DATASET)
    state = registry.reconcile()
    before = None if state.champion is None else str(state.champion.version)
    entry = make_entry(
        "force",
        number,
        "a test",
        champion_before=before,
        champion_after=number,
        previous_after=before,
        challenger_after=None,
    )
    assert registry.commit(entry, state.next_number)
