"""The registry of one dataset: its versions, its aliases, and the journal that the aliases follow.

The journal is the truth: an entry is written first, and then carried out. An entry that was written by a process that
died is carried out by whoever comes next. Where the aliases are not as the journal has them though every entry was
carried out, a person has moved them in MLflow, and that is written down.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from podium.errors import TransientError
from podium.registry.describing import describe, write
from podium.registry.journal import Entry, Journal, Numbered, make_entry
from podium.registry.kept import KeptDecision
from podium.tracking.connection import quote_filter
from podium.tracking.names import WITHDRAWN, ask_if_there

logger = logging.getLogger(__name__)

PREVIOUS, CHALLENGER, CHAMPION = "previous", "challenger", "champion"
ALIASES = (PREVIOUS, CHALLENGER, CHAMPION)
"""In the order in which they are moved: what people serve moves last."""
ROUNDS = 10
"""How often others may come between before it is said."""

Aliases = dict[str, str | None]
"""The number of the version that each of `ALIASES` points to."""


@dataclass(frozen=True)
class State:
    """How things are.

    Attributes:
        entries: the journal.
        versions: those that are there, by number.
        aliases: where they point.
        finished: the entries that another process had written and this one carried out.
    """

    entries: list[Numbered]
    versions: dict[str, ModelVersion]
    aliases: Aliases
    finished: tuple[Numbered, ...] = ()

    @property
    def next_number(self) -> int:
        """The number of the next entry."""
        return len(self.entries) + 1

    @property
    def champion(self) -> ModelVersion | None:
        """The version that is to beat: the champion; where a person took the alias off, the last one that had it."""
        line = self.line
        return self.versions[line[-1]] if line else None

    @property
    def line(self) -> list[str]:
        """The champions that one can go back to and are still there, the one that is to beat last.

        A rollback takes those after its aim off.
        """
        line: list[str] = []
        for one in self.entries:
            number = one.entry.champion_after
            if number is None or number not in self.versions:
                continue
            line = line[: line.index(number)] if number in line else line
            line.append(number)
        return line

    @property
    def withdrawn(self) -> dict[str, str]:
        """Why versions were recalled, by number; whether the journal or the version says so."""
        tagged = {number: one.tags[WITHDRAWN] for number, one in self.versions.items() if WITHDRAWN in one.tags}
        return tagged | {one.entry.version: one.entry.why for one in self.entries if one.entry.action == "recall"}

    def move_aliases(self, version: str, *, promoted: bool, stays: bool = False) -> dict[str, str | None]:
        """Give what an entry says of the aliases after a version was promoted, or stays a challenger, or neither."""
        aliases, champion = self.aliases, self.champion
        if promoted:
            before = aliases[PREVIOUS] if champion is None else str(champion.version)
            previous = before if before != version else aliases[PREVIOUS]
            return {"champion_after": version, "previous_after": previous, "challenger_after": None}
        challenger = version if stays else None if aliases[CHALLENGER] == version else aliases[CHALLENGER]
        return {
            "champion_after": aliases[CHAMPION],
            "previous_after": aliases[PREVIOUS],
            "challenger_after": challenger,
        }

    def find_finished(self, version: str, *actions: str) -> Numbered | None:
        """Give what was written about a version by a process that was cut short, and is carried out now."""
        mine = (one for one in self.finished if one.entry.version == version and one.entry.action in actions)
        return next(mine, None)


class Registry:
    """The versions of one dataset's models."""

    def __init__(self, client: MlflowClient, dataset: str) -> None:
        """Know where it is.

        Args:
            client: of MLflow.
            dataset: the registered model's name.
        """
        self.client, self.dataset = client, dataset
        self.journal = Journal(client, dataset)

    def versions(self) -> dict[str, ModelVersion]:
        """Give all versions by their numbers, the oldest first."""
        mine = f"name = {quote_filter(self.dataset)}"
        page = self.client.search_model_versions(mine)
        found = [*page]
        while page.token:
            page = self.client.search_model_versions(mine, page_token=page.token)
            found += page
        return {str(one.version): one for one in sorted(found, key=lambda one: int(one.version))}

    def aliases(self) -> Aliases:
        """Give where the aliases point; None for one that is not there."""
        model = ask_if_there(self.client.get_registered_model, self.dataset)
        there = model.aliases if model else {}
        return {alias: str(there[alias]) if alias in there else None for alias in ALIASES}

    def champion(self) -> ModelVersion | None:
        """Give the version with the alias; None if there is none."""
        number = self.aliases()[CHAMPION]
        return None if number is None else self.client.get_model_version(self.dataset, number)

    def rounds(self) -> Iterator[State]:
        """Give how things are, and some times again: for who has to think again as somebody else was faster."""
        for _ in range(ROUNDS):
            yield self.reconcile()

    def crowded(self) -> TransientError:
        """Give what is said where all rounds were in vain."""
        return TransientError(f"Others are promoting models of {self.dataset} all the time. Try again in a minute.")

    def reconcile(self) -> State:
        """Carry out what is written and not done, write down what people moved by hand, and tell how things are.

        Raises:
            TransientError: others kept coming between.
        """
        finished: list[Numbered] = []
        for _ in range(ROUNDS):
            entries, newly = self._carry_out()
            finished += newly
            versions, aliases = self.versions(), self.aliases()
            moved = _notice(self.dataset, entries, versions, aliases)
            if moved is None:
                return State(entries, versions, aliases, tuple(finished))
            if self.journal.append(moved, len(entries) + 1):
                logger.warning("%s: %s", self.dataset, moved.why)
                self.journal.mark_done(len(entries) + 1)
        raise self.crowded()

    def commit(self, entry: Entry, number: int, kept: KeptDecision | None = None) -> bool:
        """Write an entry, and carry it out.

        Args:
            entry: what is to happen.
            number: of the next entry, as it was when this was thought of.
            kept: the decision that the entry speaks of, so that it is not fetched.

        Returns:
            False if another process was faster: nothing happened. Look at the state again, and think again.
        """
        if not self.journal.append(entry, number):
            return False
        self._carry_out(kept)
        return True

    def _carry_out(self, kept: KeptDecision | None = None) -> tuple[list[Numbered], list[Numbered]]:
        """Carry out what is written and not done; give the journal, and those of its entries that it was."""
        entries = self.journal.read()
        pending = [one for one in entries if not one.done]
        before = next((aliases_after(one.entry) for one in reversed(entries) if one.done), dict.fromkeys(ALIASES))
        finished: list[Numbered] = []
        while pending:
            for number in dict.fromkeys(one.entry.version for one in pending):
                describe(self.client, self.dataset, number, entries, kept)
            self._move(before, aliases_after(entries[-1].entry))
            finished, seen, entries = pending, len(entries), self.journal.read()
            if len(entries) == seen:
                for one in pending:
                    self.journal.mark_done(one.number)
                return [replace(one, done=True) for one in entries], finished
            # Another process went on meanwhile. Whatever of its work this one has just undone, it does again.
            pending, before = [*pending, *entries[seen:]], {}
        return entries, finished

    def _move(self, before: Aliases, after: Aliases) -> None:
        """Move the aliases that an entry moves, and leave alone those that it does not."""
        there = self.aliases()
        for alias, wanted in after.items():
            if there[alias] == wanted or (alias in before and before[alias] == wanted):
                continue
            if wanted is None:
                self.client.delete_registered_model_alias(self.dataset, alias)
            elif ask_if_there(self.client.get_model_version, self.dataset, wanted) is not None:
                write(self.client.set_registered_model_alias, self.dataset, alias, wanted)


def aliases_after(entry: Entry) -> Aliases:
    """Give where the aliases point once an entry is carried out."""
    return {
        PREVIOUS: entry.previous_after,
        CHALLENGER: entry.challenger_after,
        CHAMPION: entry.champion_after,
    }


def _notice(dataset: str, entries: list[Numbered], versions: dict[str, ModelVersion], aliases: Aliases) -> Entry | None:
    """Give the entry about what a person did in MLflow; None if all is as the journal has it."""
    known = aliases_after(entries[-1].entry) if entries else dict.fromkeys(ALIASES)
    if known == aliases:
        return None
    champion = aliases[CHAMPION] or known[CHAMPION]
    removed = aliases[CHAMPION] is None and known[CHAMPION] is not None
    moved = [alias for alias in reversed(ALIASES) if known[alias] != aliases[alias]]
    why = " ".join(_say(alias, known[alias], aliases[alias], versions) for alias in moved)
    if not entries:
        why = "The aliases are older than this journal; they are taken over as they are."
    if removed and known[CHAMPION] in versions:
        why += f" It stays the one to beat. `podium promote {dataset}/{champion} --force --why TEXT` puts it back."
    return make_entry(
        "removed by hand" if removed else "moved by hand",
        champion or next(filter(None, (*aliases.values(), *known.values()))),
        why,
        champion_before=known[CHAMPION],
        champion_after=aliases[CHAMPION],
        previous_after=aliases[PREVIOUS],
        challenger_after=aliases[CHALLENGER],
    )


def _say(alias: str, before: str | None, after: str | None, versions: dict[str, ModelVersion]) -> str:
    if after is None:
        gone = "" if before in versions else ", which was deleted"
        return f"In MLflow the alias {alias} was taken off version {before}{gone}."
    return f"In MLflow the alias {alias} was {f'moved from version {before}' if before else 'set'} to version {after}."
