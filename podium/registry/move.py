"""`podium promote --to`: a version with all its evidence goes to another tracking server, and is champion there."""

import logging
from pathlib import Path
from urllib.parse import urlsplit

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from podium.errors import PodiumError, TransientError
from podium.registry.copying import COPIED_FROM, copy_run, copy_version
from podium.registry.journal import make_entry
from podium.registry.proof.subject import Subject, find_subject
from podium.registry.registry import CHAMPION, Registry
from podium.tracking.connection import shown_uri
from podium.tracking.failures import LIBRARY_ERRORS, first_words, is_transient
from podium.tracking.names import CARD, DECIDED, WITHDRAWN
from podium.tracking.reaching import reaching

logger = logging.getLogger(__name__)

_SCHEMES = ("http", "https", "sqlite")
"""Of a server's address, or of a file on this disk. A database behind a server does not know where artifacts go."""


def move(root: Path, name: str, uri: str) -> str:
    """Copy a version with its evidence to another tracking server, where it becomes champion. Safe to repeat.

    Args:
        root: the project's root.
        name: `digits/3`, `digits@champion`: a version in the project's own MLflow.
        uri: the other server's address; its user and password are never shown.

    Returns:
        What was done, in a sentence.

    Raises:
        TransientError: one of the two servers does not do its part; the same command again goes on.
        PodiumError: there is no such version, it was recalled, or the address is none.
    """
    scheme = urlsplit(uri).scheme
    if scheme not in _SCHEMES:
        raise PodiumError(
            f"'{shown_uri(uri)}' is no address of a tracking server. Expected one such as https://mlflow.example.org."
        )
    with reaching(root, name) as source:
        if source.tracking_uri.rstrip("/") == uri.rstrip("/"):
            raise PodiumError(
                f"{name} is at {shown_uri(uri)} already. `podium promote {name}` makes it champion there."
            )
        subject = find_subject(source, name)
        if WITHDRAWN in subject.version.tags:
            raise PodiumError(
                f"{subject.title} was recalled: {subject.version.tags[WITHDRAWN]}. A recalled version goes nowhere."
            )
        from_where = f"{shown_uri(source.tracking_uri)} {subject.title}"
        return _copy(subject, source, uri, from_where)


def _copy(subject: Subject, source: MlflowClient, uri: str, from_where: str) -> str:
    where = shown_uri(uri)
    try:
        target = MlflowClient(uri, uri)
        copy = copy_run(source, subject.run, target, subject.dataset)
        version = copy_version(subject.version, copy, target, {COPIED_FROM: from_where})
        recalled = version.tags.get(WITHDRAWN)
        number = None if recalled else _make_champion(Registry(target, subject.dataset), version, from_where)
    except LIBRARY_ERRORS as error:
        kind = TransientError if is_transient(error) else PodiumError
        raise kind(
            f"{subject.title} is not at {where} in full: one of the two servers did not do its part: "
            f"{shown_uri(first_words(error))} The same command again goes on."
        ) from error
    title = f"{subject.title} is {version.name}/{version.version} at {where}"
    if recalled:
        raise PodiumError(f"{title}, and was recalled there: {recalled}.")
    if number is None:
        return f"{title}, and champion there already."
    return f"{title}, and champion there (entry {number} of its journal)."


def _make_champion(registry: Registry, version: ModelVersion, from_where: str) -> int | None:
    """Write it into the server's own journal, which moves the aliases; None if it is champion already."""
    number = str(version.version)
    for state in registry.rounds():
        if state.aliases[CHAMPION] == number:
            return None
        entry = make_entry(
            "copied",
            number,
            f"Copied from {from_where}.",
            champion_before=str(state.champion.version) if state.champion else None,
            **state.move_aliases(number, promoted=True),
            card=version.tags.get(CARD, ""),
            verdict=version.tags.get(DECIDED, ""),
        )
        if registry.commit(entry, state.next_number):
            return state.next_number
    raise registry.crowded()
