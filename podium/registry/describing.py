"""What MLflow shows of a version: its description, and the tags that a script asks for. The journal says what."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from podium.errors import PodiumError
from podium.pages.markdown import say, sentence
from podium.registry.journal import Entry, Numbered, find_decided, find_last
from podium.registry.kept import DECISION, KeptDecision, load_kept
from podium.tracking.connection import training_view
from podium.tracking.names import CARD, DECIDED, WITHDRAWN, ask_if_there, find_logged_model
from podium.tracking.published import download_files

PAGE = "index.html"
LONGEST = 5000
"""Characters of a description: PostgreSQL takes no more."""
_EVENTS = {
    "approve": "Promoted after its card was read",
    "force": "Promoted whatever the gate says",
    "rollback": "Made champion again by a rollback",
    "recall": "Recalled",
    "copied": "Copied",
}
"""What stands in a version's description beside its decision, by the journal's actions."""

TRIES = 4
"""Of writing what another process may be writing, too."""
_RACES = ("UniqueViolation", "duplicate key", "UNIQUE constraint", "Duplicate entry")
"""What databases say of the second of two; MLflow passes it on as a bad request."""


def describe(
    client: MlflowClient, dataset: str, number: str, entries: Sequence[Numbered], kept: KeptDecision | None = None
) -> None:
    """Give a version the description and the tags that follow from the journal.

    Args:
        client: of MLflow.
        dataset: the registered model's name.
        number: the version's; nothing is done if it is not there.
        entries: the journal.
        kept: one of its decisions, if it is at hand; others are fetched.
    """
    mine = [one for one in entries if one.entry.version == number and one.entry.action in ("decide", *_EVENTS)]
    version = ask_if_there(client.get_model_version, dataset, number) if mine else None
    if version is None:
        return
    decided = find_decided(mine, number)
    recalled = find_last(mine, lambda entry: entry.action == "recall")
    tags = {}
    if decided is not None:
        tags = {DECIDED: decided.entry.verdict, CARD: decided.entry.card}
    if recalled is not None:
        _withdraw(client, version, recalled.entry.why)
        tags[WITHDRAWN] = recalled.entry.why
    for key, value in tags.items():
        if version.tags.get(key) != value:
            write(client.set_model_version_tag, dataset, number, key, value)
    text = "\n\n".join(_paragraphs(client, version, mine, decided, kept))[:LONGEST]
    if version.description != text:
        client.update_model_version(dataset, number, text)


def place_of(number: int) -> str:
    """Give where a decision lies among the artifacts of its challenger's run, by its number in the journal."""
    return f"decisions/{number:04d}"


def fetch_kept(client: MlflowClient, run_id: str, card: str) -> KeptDecision | None:
    """Fetch a decision from where it is kept; None if it is gone, or cannot be read any more."""
    with TemporaryDirectory(prefix="podium-") as folder:
        if not download_files(client, run_id, [f"{card}/{DECISION}"], Path(folder)):
            return None
        try:
            return load_kept(Path(folder))
        except PodiumError:
            return None


def write(put: Callable[..., Any], *arguments: Any) -> None:
    """Have MLflow keep something that another process may put there at the same moment.

    A database refuses the second of two that both found nothing there; asked again, it finds the first one's.
    """
    for left in reversed(range(TRIES)):
        try:
            put(*arguments)
        except MlflowException as error:
            if not left or not any(words in str(error) for words in _RACES):
                raise
        else:
            return


def _withdraw(client: MlflowClient, version: ModelVersion, why: str) -> None:
    """Say it of the run and of the logged model, too: they are asked for by their own ids."""
    run = ask_if_there(client.get_run, version.run_id) if version.run_id else None
    if run is not None and run.data.tags.get(WITHDRAWN) != why:
        write(client.set_tag, run.info.run_id, WITHDRAWN, why)
    model_id = find_logged_model(version)
    if model_id and ask_if_there(client.get_logged_model, model_id) is not None:
        write(client.set_logged_model_tags, model_id, {WITHDRAWN: why})


def _paragraphs(
    client: MlflowClient,
    version: ModelVersion,
    mine: Sequence[Numbered],
    decided: Numbered | None,
    kept: KeptDecision | None,
) -> list[str]:
    told = [_tell(one.entry) for one in reversed(mine) if one.entry.action in _EVENTS]
    run = ask_if_there(client.get_run, version.run_id) if version.run_id and decided else None
    if decided is None or run is None:
        return told
    card = decided.entry.card
    if kept is None or place_of(kept.number) != card or kept.challenger_version != str(version.version):
        kept = fetch_kept(client, run.info.run_id, card)
    if kept is None:
        return [*told, f"**{decided.entry.verdict}**: {sentence(decided.entry.why)}"]
    from podium.registry.card import describe_version  # what draws and compares: seconds to import

    address = training_view("", run.info.experiment_id, run.info.run_id, f"{card}/{PAGE}")
    return [*told, describe_version(kept, run.info.run_id, address).strip()]


def _tell(entry: Entry) -> str:
    return f"**{_EVENTS[entry.action]}** on {entry.when[:10]} by {say(entry.who)}: {sentence(entry.why)}"
