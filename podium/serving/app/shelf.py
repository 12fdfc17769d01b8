"""The models at hand: loaded once, used by many, and exchanged when an alias moves.

`look` asks MLflow what there is. A champion that is new is loaded before it takes the place of the old one, so no
request waits for it, and one that runs keeps the model that it began with. While MLflow is away, all goes on as it was.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING

from podium.errors import PodiumError, TransientError
from podium.serving.app.about import About

if TYPE_CHECKING:
    from podium.serving.finding import Found
    from podium.serving.predictor import Predictor

logger = logging.getLogger(__name__)

MOST = 8
"""Models in memory, besides those that were named at the start."""
CHAMPION = "champion"
AWAY = "MLflow does not answer; what is loaded goes on working."
"""What visitors are told; where it is, the log says."""


@dataclass(frozen=True)
class Registered:
    """What MLflow says of one registered model.

    Attributes:
        versions: their numbers, the newest first.
        aliases: the number of the version that each points to.
        withdrawn: why versions were recalled, by number.
    """

    versions: tuple[str, ...]
    aliases: dict[str, str]
    withdrawn: dict[str, str]


@dataclass(frozen=True)
class Model:
    """A version that is loaded, and what is known of it.

    Attributes:
        predictor: what answers.
        about: what is known of it.
        recalled: why it was recalled, as it was loaded; empty if it was not.
    """

    predictor: "Predictor"
    about: About
    recalled: str = ""

    @property
    def found(self) -> "Found":
        """What it is."""
        return self.predictor.found

    @property
    def title(self) -> str:
        """Its name for people: `digits/3`."""
        return self.predictor.found.title


@dataclass
class _Slot:
    """The place of a model that is asked for by one name."""

    lock: Lock = field(default_factory=Lock)
    model: Model | None = None


class Shelf:
    """Models by the names that people ask for: `digits@champion`, `digits/3`."""

    def __init__(
        self,
        names: Sequence[str],
        find: Callable[[str], "Found"],
        load: Callable[["Found"], Model],
        ask: Callable[[], dict[str, Registered]],
    ) -> None:
        """Know what is wanted; nothing is loaded.

        Args:
            names: of the models to begin with; they stay in memory. None stands for every champion that there is.
            find: gives the model that a name means now.
            load: loads it.
            ask: gives what MLflow has now, by the names of the registered models.
        """
        self.first = tuple(names)
        self._find, self._load, self._ask = find, load, ask
        self._slots: dict[str, _Slot] = {}
        self._lock = RLock()
        self.registered: dict[str, Registered] = {}
        self.looked = False
        """Whether MLflow has answered yet."""
        self.away = ""
        """Why MLflow did not answer when it was last asked; empty if it did."""
        self.stuck: dict[str, str] = {}
        """Why what an alias points to is not in use, by the alias's name."""
        self._refused: dict[str, str] = {}
        """The version that it points to and that could not be used: it is not tried again and again."""

    @classmethod
    def of(cls, root: Path, names: Sequence[str]) -> "Shelf":
        """Make the shelf of a project. What it imports when it is first asked takes seconds."""

        def find(name: str) -> "Found":
            from podium.serving.finding import find_model  # MLflow

            return find_model(root, name)

        def load(found: "Found") -> Model:
            from podium.serving.app import asking  # MLflow

            return asking.load(root, found)

        def ask() -> dict[str, Registered]:
            from podium.serving.app import asking  # MLflow

            return asking.read_registered(root)

        return cls(names, find, load, ask)

    def choices(self) -> list[str]:
        """Give all names that one can choose: those of the start, then aliases, then versions."""
        names = [*self.first]
        for model, known in self.registered.items():
            names += [
                f"{model}@{alias}" for alias in sorted(known.aliases, key=lambda alias: (alias != CHAMPION, alias))
            ]
            names += [f"{model}/{version}" for version in known.versions]
        return [*dict.fromkeys(names)]

    def is_loaded(self, name: str) -> bool:
        """Say whether a model can be asked at once."""
        with self._lock:
            slot = self._slots.get(name)
        return slot is not None and slot.model is not None

    def take(self, name: str) -> Model:
        """Give a model; who asks first waits until it is loaded.

        Raises:
            PodiumError: there is none, or it cannot be loaded.
        """
        with self._lock:
            slot = self._slots.pop(name, None) or _Slot()
            self._slots[name] = slot  # the last one is the last to go
            self._make_room()
        with slot.lock:
            if slot.model is None:
                try:
                    slot.model = self._load_once(self._find(name))
                except PodiumError:
                    with self._lock:
                        self._slots.pop(name, None)
                    raise
            return slot.model

    def withdrawn(self, model: Model) -> str:
        """Say why a version was recalled, as far as that is known; empty if it was not."""
        known = self.registered.get(model.found.name)
        if known is not None and model.found.version in known.versions:
            return known.withdrawn.get(model.found.version, "")
        return model.recalled

    def aliases(self, model: Model) -> list[str]:
        """Give the aliases that point to a version."""
        known = self.registered.get(model.found.name)
        if known is None:
            return [*model.found.facts.aliases]
        return sorted(alias for alias, number in known.aliases.items() if number == model.found.version)

    def look(self) -> None:
        """Ask MLflow what there is now, and exchange the models whose alias has moved."""
        try:
            self.registered = self._ask()
        except PodiumError as error:
            if not self.away:
                logger.warning("%s What is loaded goes on working.", error)
            self.away = AWAY if isinstance(error, TransientError) else str(error)
            return
        self.away, self.looked = "", True
        if not self.first:
            self.first = tuple(f"{name}@{CHAMPION}" for name, one in self.registered.items() if CHAMPION in one.aliases)
        with self._lock:
            slots = [*self._slots.items()]
        for name, slot in slots:
            self._follow(name, slot)

    def _follow(self, name: str, slot: _Slot) -> None:
        """Exchange the model of an alias that has moved."""
        dataset, _, alias = name.partition("@")
        now = self.registered[dataset].aliases.get(alias) if dataset in self.registered else None
        if not alias or slot.model is None or now == slot.model.found.version:
            self.stuck.pop(name, None)
        elif now is None:
            self.stuck[name] = f"{dataset} has no {alias} any more. {slot.model.title} goes on."
        elif self._refused.get(name) != now:
            self._exchange(name, slot, slot.model, f"{dataset}/{now}")

    def _exchange(self, name: str, slot: _Slot, old: Model, new: str) -> None:
        """Load what an alias points to now, and have it take the old one's place."""
        try:
            slot.model = self._load_once(self._find(new))
        except TransientError:
            self.away = AWAY
        except PodiumError as error:
            alias = name.partition("@")[2]
            self._refused[name] = new.rpartition("/")[2]
            self.stuck[name] = f"{new} is {alias} now, and cannot be used: {error} {old.title} goes on."
            logger.warning("%s", self.stuck[name])
        else:
            self.stuck.pop(name, None)
            self._refused.pop(name, None)
            logger.info("%s is %s now", name, slot.model.title)

    def _load_once(self, found: "Found") -> Model:
        """Load a model, or give the one that is loaded under another name."""
        with self._lock:
            slots = [*self._slots.values()]
        for slot in slots:
            if slot.model is not None and slot.model.found == found:
                return slot.model
        return self._load(found)

    def _make_room(self) -> None:
        others = [name for name in self._slots if name not in self.first]
        for name in others[: max(0, len(others) - MOST)]:
            self._slots.pop(name)
