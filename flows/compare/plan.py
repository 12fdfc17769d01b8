"""What a sweep trains: every candidate that is asked for, with every combination of a grid, with every seed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from podium.config import Params, load_params
from podium.errors import PodiumError
from podium.files import json_digest
from podium.paths import PARAMS, REVIEW
from podium.workspace.missed import find_missed
from podium.workspace.overrides import EXAMPLE, apply, expand, find_key

MAX_TRIALS = 1000
"""More are rather a mistake in the grid."""
STAGES = ("train", "evaluate", "confusion_matrix")

PUT_IN = (PARAMS, REVIEW)
"""Files that need not be committed: a clone is given the first, and what is made of the second is in the cache."""
CODE = ("podium", "stages", "dvc.yaml")
"""What a training runs; other new files are none of a clone's business."""

_OF_CANDIDATE = re.compile(r"candidates\.([^.]+)\.(.+)")
_OF_SCHEDULE = re.compile(r"schedules\.([^.]+)\.(.+)")


@dataclass(frozen=True)
class Variant:
    """A candidate, with some keys of the page set otherwise.

    Attributes:
        candidate: its name.
        dataset: its dataset's.
        overrides: what is set, as `dvc exp run -S` takes it; empty for the candidate as it is on the page.
    """

    candidate: str
    dataset: str
    overrides: tuple[str, ...] = ()

    @property
    def changes(self) -> dict[str, str]:
        """The value of each key that is set, by the key without what all have in common."""
        pairs = [one.lstrip("+").partition("=") for one in self.overrides]
        return {_short(key): value for key, _, value in pairs}

    @property
    def title(self) -> str:
        """For people: `digits-cnn, dropout 0.4`."""
        return ", ".join([self.candidate, *(f"{key} {value}" for key, value in self.changes.items())])


@dataclass(frozen=True)
class Trial:
    """One training: a variant with one seed.

    Attributes:
        variant: which.
        seed: of its training.
        page: the whole params page that asks for it.
        is_on_page: the project's own page asks for the same.
    """

    variant: Variant
    seed: int
    page: str
    is_on_page: bool

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.variant.title}, seed {self.seed}"

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have to run, in their order."""
        return tuple(f"{kind}@{self.variant.candidate}" for kind in STAGES)


@dataclass(frozen=True)
class Plan:
    """A whole sweep.

    Attributes:
        root: the project's root.
        params: its params page.
        trials: at least one, variant by variant.
    """

    root: Path
    params: Params
    trials: tuple[Trial, ...]

    @property
    def variants(self) -> list[Variant]:
        """Each once."""
        return list(dict.fromkeys(trial.variant for trial in self.trials))

    @property
    def datasets(self) -> list[str]:
        """Those of the variants, each once."""
        return list(dict.fromkeys(variant.dataset for variant in self.variants))

    def key(self, dataset: str) -> str:
        """Give eight letters that tell the sweep from others on the dataset; the same sweep has them again."""
        mine = [[one.variant.title, one.seed] for one in self.trials if one.variant.dataset == dataset]
        return json_digest(mine)[:8]


def make_plan(root: Path, candidates: Sequence[str] | None, grid: Sequence[str] | None, seeds: int) -> Plan:
    """Lay out what has to be trained, and check all of it before anything runs.

    Args:
        root: the project's root.
        candidates: names of candidates, or of datasets for all of theirs; None for those that the grid names, or all.
        grid: keys of the page with their values, as `dvc exp run -S` spells them.
        seeds: how many, from the schedule's own on.

    Raises:
        PodiumError: a name, a key or a value is wrong, or there is nothing to train.
    """
    params = load_params(root / PARAMS)
    wanted = _choose(params, candidates, grid or ())
    variants = _vary(params, wanted, grid or ())
    if len(variants) * seeds > MAX_TRIALS:
        raise PodiumError(
            f"That makes {len(variants) * seeds:,} trainings. Expected {MAX_TRIALS:,} at most: take a smaller grid, or "
            "fewer seeds."
        )
    with TemporaryDirectory(prefix="podium-") as folder:
        file = Path(folder) / PARAMS.name
        trials = [trial for variant in variants for trial in _seed(root, params, variant, seeds, file)]
    return Plan(root, params, tuple(trials))


def require_code(root: Path) -> str:
    """Make sure that clones have the code that the project's folder has.

    Returns:
        The sha of the commit that they are made from.

    Raises:
        PodiumError: they would lack some of it.
    """
    found = find_missed(root)
    missed = replace(
        found,
        changed=tuple(path for path in found.changed if path not in PUT_IN),
        untracked=tuple(path for path in found.untracked if path.parts[0] in CODE),
    )
    if missed.text:
        raise PodiumError(
            f"Each candidate is trained in a clone of its own. {missed.text}",
            hint="Commit it, `git add --all && git commit`, or put it aside: `git stash --include-untracked`.",
        )
    return missed.commit


def _choose(params: Params, candidates: Sequence[str] | None, grid: Sequence[str]) -> list[str]:
    """Give the names of the candidates that take part."""
    if candidates:
        names = [one for name in candidates for one in _of_name(params, name)]
        return list(dict.fromkeys(names))
    named = {found[1] for one in grid if (found := _OF_CANDIDATE.fullmatch(find_key(one)))}
    schedules = {found[1] for one in grid if (found := _OF_SCHEDULE.fullmatch(find_key(one)))}
    for name in named:
        params.candidate(name)
    for name in schedules:
        params.schedule(name)
    touched = [name for name, one in params.candidates.items() if name in named or one.schedule in schedules]
    return touched if grid else [*params.candidates]


def _of_name(params: Params, name: str) -> list[str]:
    if name in params.datasets and name not in params.candidates:
        return [each for each, candidate in params.candidates.items() if candidate.dataset == name]
    params.candidate(name)
    return [name]


def _vary(params: Params, names: Sequence[str], grid: Sequence[str]) -> list[Variant]:
    """Give every combination for every candidate, of the overrides that are about it."""
    left, variants = {*grid}, []
    for name in names:
        candidate = params.candidate(name)
        mine = [one for one in grid if _is_about(find_key(one), name, candidate.schedule)]
        left -= {*mine}
        variants += [Variant(name, candidate.dataset, overrides) for overrides in expand(mine)]
    for one in grid:
        if one in left:
            raise PodiumError(
                f"'{one}' is about no candidate of this sweep ({', '.join(names) or 'none'}). Expected a key of theirs "
                f"or of their schedules: {EXAMPLE}. What a dataset is cannot be swept: all have to see the same images."
            )
    return variants


def _is_about(key: str, candidate: str, schedule: str) -> bool:
    return any(
        found is not None and found[1] == name
        for found, name in ((_OF_CANDIDATE.fullmatch(key), candidate), (_OF_SCHEDULE.fullmatch(key), schedule))
    )


def _seed(root: Path, params: Params, variant: Variant, seeds: int, file: Path) -> list[Trial]:
    """Write the page of each seed, and read it, as a mistake in it has to be said now."""
    text = (root / PARAMS).read_text(encoding="utf-8")
    schedule, trials = None, list[Trial]()
    for number in range(seeds):
        file.write_text(text, encoding="utf-8")
        further = [f"schedules.{schedule}.seed={trials[0].seed + number}"] if number else []
        if variant.overrides or further:
            apply(file, [*variant.overrides, *further])
        page = _read(file, variant)
        mine, here = page.candidate(variant.candidate), params.candidate(variant.candidate)
        schedule, asked = mine.schedule, page.schedule(mine.schedule)
        if mine.dataset != variant.dataset:
            raise PodiumError(f"{variant.title}: the dataset of a candidate cannot be swept. Name another candidate.")
        if seeds > 1 and asked.repeats:
            raise PodiumError(
                f"The schedule '{schedule}' has repeats: {asked.repeats}, which trains its seeds one after another. "
                "Expected none where a sweep trains them side by side: take repeats out of params.yaml, or "
                "--seeds away."
            )
        same = mine == here and asked == params.schedule(here.schedule)
        trials.append(Trial(variant, asked.seed, file.read_text(encoding="utf-8"), same))
    return trials


def _read(file: Path, variant: Variant) -> Params:
    try:
        return load_params(file)
    except PodiumError as error:
        what = str(error).replace(str(file), PARAMS.name)
        raise PodiumError(f"{', '.join(variant.overrides) or variant.candidate}: {what}") from None


def _short(key: str) -> str:
    """Give a key without the name of its candidate or schedule, and without `model`."""
    found = _OF_CANDIDATE.fullmatch(key) or _OF_SCHEDULE.fullmatch(key)
    return (found[2] if found else key).removeprefix("model.")
