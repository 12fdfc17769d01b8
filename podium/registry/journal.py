"""The journal: what happened to a dataset's champions, one entry after the other; nothing in it can be changed.

It is one run in the experiment `DATASET-journal`, and its params `0001`, `0002`, … are the entries. MLflow lets nobody
change a param: to write a number that another process has taken fails. So to append is to compare and swap: whoever
writes entry N has seen all before it. `0001.done` says that what an entry says was carried out.
"""

import getpass
import json
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType
from mlflow.exceptions import MlflowException

from podium.errors import PodiumError
from podium.tracking.connection import quote_filter
from podium.tracking.names import ask_if_there
from podium.tracking.publication import NOTE

Action = Literal["decide", "approve", "force", "rollback", "recall", "moved by hand", "removed by hand", "copied"]
MOST_WHY = 1000
"""Characters of a reason, at most: MLflow holds 6,000 in a param, and the sketch takes half of them."""

_JOURNAL = "podium.journal"
"""The tag of a journal's run and of its experiment: the dataset's name."""
_NOTE = (
    "The journal of the registered model **{}**: each param is an entry. `podium history {}` prints it as a table. "
    "Please leave this run as it is: it is the only record of why a model is champion."
)


@dataclass(frozen=True)
class Entry:
    """Something that happened.

    Attributes:
        action: what.
        version: of which version.
        champion_before: to which version the alias pointed, or the one that was to beat; None if there was none.
        champion_after, previous_after, challenger_after: to which versions the aliases point once it is carried out.
        verdict, ground: the gate's, see `Decision`; empty where it was not asked.
        why: the gate's reason, or a person's.
        who: `ada@lovelace`.
        when: UTC, `2026-05-01T12:00:00+00:00`.
        card: where the decision lies among the artifacts of the version's run: `decisions/0003`; empty if nowhere.
        images: the sha256 over the sorted digests of the images that were compared; empty if none were.
        sketch: of them, see `podium.registry.gate.sketch`.
        spent: how much of the error the decision took.
        rules: the sha256 of the gate's rules; empty where it was not asked.
        id: tells two entries apart that say the same.
    """

    action: Action
    version: str
    champion_before: str | None
    champion_after: str | None
    previous_after: str | None
    challenger_after: str | None
    why: str
    who: str
    when: str
    id: str
    verdict: str = ""
    ground: str = ""
    card: str = ""
    images: str = ""
    sketch: tuple[str, ...] = ()
    spent: float = 0.0
    rules: str = ""


@dataclass(frozen=True)
class Numbered:
    """An entry in its place.

    Attributes:
        number: from 1.
        entry: what happened.
        done: whether it was carried out.
    """

    number: int
    entry: Entry
    done: bool


class Journal:
    """The journal of one registered model."""

    def __init__(self, client: MlflowClient, dataset: str) -> None:
        """Know where it is; it is made with its first entry."""
        self._client, self._dataset = client, dataset
        self._run_id = ""

    @property
    def name(self) -> str:
        """The name of its experiment."""
        return f"{self._dataset}-journal"

    def read(self) -> list[Numbered]:
        """Give all entries, the oldest first; none where there is no journal yet."""
        run = self._find()
        if run is None:
            return []
        params, entries = run.data.params, list[Numbered]()
        while (key := _key(len(entries) + 1)) in params:
            number = len(entries) + 1
            entries.append(Numbered(number, self._parse(number, params[key]), f"{key}.done" in params))
        return entries

    def append(self, entry: Entry, number: int) -> bool:
        """Write the next entry.

        Args:
            entry: what happened.
            number: one more than the entries that were read.

        Returns:
            False if another process took the number: read again, and think again.
        """
        text = json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":"))
        run_id = self._run_id or self._make()
        try:
            self._client.log_param(run_id, _key(number), text)
        except MlflowException:
            there = self._client.get_run(run_id).data.params.get(_key(number))
            if there is None:
                raise
            return there == text  # or its answer alone was lost
        return True

    def mark_done(self, number: int) -> None:
        """Remember that an entry was carried out."""
        self._client.log_param(self._run_id, f"{_key(number)}.done", "yes")

    def _parse(self, number: int, text: str) -> Entry:
        known = {field.name for field in fields(Entry)}
        try:
            content: dict[str, Any] = {key: value for key, value in json.loads(text).items() if key in known}
            return Entry(**content | {"sketch": tuple(content["sketch"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PodiumError(
                f"Entry {number} of the experiment {self.name} in MLflow is none that this podium reads: {error}. "
                "Bring podium up to date, or look at the run there."
            ) from error

    def _find(self) -> Run | None:
        """Find the run, and bring it back if somebody deleted it."""
        if self._run_id:
            return self._client.get_run(self._run_id)
        experiment = self._client.get_experiment_by_name(self.name)
        if experiment is None:
            return None
        if experiment.lifecycle_stage == "deleted":
            self._client.restore_experiment(experiment.experiment_id)
        runs = self._client.search_runs(
            [experiment.experiment_id], run_view_type=ViewType.ALL, order_by=["attributes.start_time"]
        )
        mine = [run for run in runs if run.data.tags.get(_JOURNAL) == self._dataset]
        if not mine:
            raise PodiumError(
                f"The experiment {self.name} in MLflow has no journal in it. Expected the run in which podium keeps "
                "what happened to the champions. If the experiment is yours, give it another name there."
            )
        if mine[0].info.lifecycle_stage == "deleted":
            self._client.restore_run(mine[0].info.run_id)
        self._run_id = str(mine[0].info.run_id)
        return mine[0]

    def _make(self) -> str:
        """Make the run, once: two processes may be at it.

        MLflow has no unique runs, but unique names of experiments: each makes an experiment and a run of its own, and
        whoever is first to rename it has made the journal.
        """
        part = self._client.create_experiment(f"{self.name}-{uuid4().hex[:8]}", tags={_JOURNAL: self._dataset})
        tags = {_JOURNAL: self._dataset, NOTE: _NOTE.format(self._dataset, self._dataset)}
        try:
            self._client.create_run(part, tags=tags, run_name=self.name)
            self._client.rename_experiment(part, self.name)
        except MlflowException:  # another process was faster, and may have deleted this one's
            if self._client.get_experiment_by_name(self.name) is None:
                raise
        self._find()
        for experiment in self._parts():
            ask_if_there(self._client.delete_experiment, experiment.experiment_id)
        return self._run_id

    def _parts(self) -> list[Experiment]:
        """Give what was made to become the journal, by this process or by one that was cut short, and did not."""
        found = self._client.search_experiments(filter_string=f"tags.`{_JOURNAL}` = {quote_filter(self._dataset)}")
        return [one for one in found if one.name != self.name]


def make_entry(action: Action, version: str, why: str, **further: Any) -> Entry:
    """Make an entry of this user, now; a long reason is cut."""
    why = why if len(why) <= MOST_WHY else f"{why[: MOST_WHY - 1]}…"
    return Entry(action=action, version=version, why=why, who=who(), when=now(), id=uuid4().hex[:8], **further)


def who() -> str:
    """Give this user and machine: `ada@lovelace`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def now() -> str:
    """Give the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def find_last(entries: Sequence[Numbered], wanted: Callable[[Entry], bool]) -> Numbered | None:
    """Give the newest entry of some kind."""
    return next((one for one in reversed(entries) if wanted(one.entry)), None)


def find_decided(entries: Sequence[Numbered], version: str) -> Numbered | None:
    """Give the newest entry about a version that has a card."""
    return find_last(entries, lambda entry: entry.version == version and bool(entry.card))


def _key(number: int) -> str:
    return f"{number:04d}"
