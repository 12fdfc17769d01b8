"""`params.yaml` as a whole: datasets, schedules, candidates and gates."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic.dataclasses import dataclass

from podium.config.datasets import Dataset
from podium.config.fields import STRICT, Name
from podium.config.gates import Gate
from podium.config.models import Model
from podium.config.schedules import Schedule
from podium.errors import PodiumError, nearest
from podium.paths import PARAMS


@dataclass(frozen=True, config=STRICT)
class Candidate:
    """A dataset, a model and a schedule: what `train` builds, and what competes to be champion."""

    dataset: str
    model: Model
    schedule: str


Entry = TypeVar("Entry")


@dataclass(frozen=True, config=STRICT)
class Params:
    """The whole of `params.yaml`, valid, every reference resolved."""

    datasets: dict[Name, Dataset]
    schedules: dict[Name, Schedule]
    candidates: dict[Name, Candidate]
    gates: dict[Name, Gate] | None = None
    """By dataset; a dataset without one has the gate of the defaults."""

    def dataset(self, name: str) -> Dataset:
        """Give the dataset of that name; raise PodiumError with the nearest name if there is none."""
        return _named("dataset", name, self.datasets)

    def schedule(self, name: str) -> Schedule:
        """Give the schedule of that name; raise PodiumError with the nearest name if there is none."""
        return _named("schedule", name, self.schedules)

    def candidate(self, name: str) -> Candidate:
        """Give the candidate of that name; raise PodiumError with the nearest name if there is none."""
        return _named("candidate", name, self.candidates)

    def gate(self, dataset: str) -> Gate:
        """Give the rules by which challengers of a dataset are judged."""
        return (self.gates or {}).get(dataset, Gate())


def _named(kind: str, name: str, table: Mapping[str, Entry]) -> Entry:
    try:
        return table[name]
    except KeyError:
        raise PodiumError(f"{PARAMS} has no {kind} '{name}'. {nearest(name, table)}") from None
