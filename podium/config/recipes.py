"""The ready-made params pages under `recipes/`."""

from dataclasses import dataclass
from pathlib import Path

from podium.config import load_params
from podium.config.datasets import ArchiveSource, KaggleSource, Reference, SklearnSource, Source
from podium.errors import PodiumError, nearest
from podium.files import atomic_write
from podium.git import ask_git
from podium.paths import PARAMS


@dataclass(frozen=True)
class Entry:
    """What `podium list` shows of one dataset of a recipe."""

    dataset: str
    source: str
    candidates: list[str]
    published: list[str]
    """The best published results, one for each metric."""


@dataclass(frozen=True)
class Recipe:
    """What `podium list` shows of a recipe: its datasets, or why it cannot be read."""

    name: str
    entries: list[Entry]
    in_use: bool
    fault: str = ""


def describe_recipes(root: Path) -> list[Recipe]:
    """Describe every recipe of the project, by name."""
    now = _read(root / PARAMS)
    return [_describe(path, path.read_bytes() == now) for path in sorted((root / "recipes").glob("*.yaml"))]


def _describe(path: Path, in_use: bool) -> Recipe:
    try:
        params = load_params(path)
    except PodiumError as error:
        return Recipe(path.stem, [], in_use, str(error))
    entries = [
        Entry(
            name,
            _source(dataset.source),
            [candidate for candidate, its in params.candidates.items() if its.dataset == name],
            _best(dataset.reference),
        )
        for name, dataset in params.datasets.items()
    ]
    return Recipe(path.stem, entries, in_use)


def _source(source: Source) -> str:
    match source:
        case KaggleSource(competition=None):
            return f"kaggle: {source.dataset}"
        case KaggleSource():
            return f"kaggle: competition {source.competition}"
        case ArchiveSource():
            return source.path
        case SklearnSource():
            return "scikit-learn"


def _best(references: list[Reference]) -> list[str]:
    """Give each metric's best published result; for errors the lowest is best."""
    best: dict[str, Reference] = {}
    for each in references:
        sign = -1 if each.metric.endswith("_mse") else 1
        if each.metric not in best or sign * each.value > sign * best[each.metric].value:
            best[each.metric] = each
    return [
        f"{each.metric} {each.value:g}" + (f" ± {each.standard_error:g}" if each.standard_error else "")
        for each in best.values()
    ]


def use_recipe(root: Path, name: str, *, force: bool = False) -> None:
    """Put a recipe in place of `params.yaml`.

    Args:
        root: the project's root.
        name: the recipe's.
        force: also if changes are lost that are saved neither in git nor as a recipe.

    Raises:
        PodiumError: there is no such recipe, or the page has changes that would be lost.
    """
    recipes = {path.stem: path for path in (root / "recipes").glob("*.yaml")}
    if name not in recipes:
        raise PodiumError(f"There is no recipe '{name}'. {nearest(name, recipes)}")
    load_params(recipes[name])
    replace_page(root, recipes[name].read_bytes(), f"podium use {name}", force=force)


def replace_page(root: Path, content: bytes, command: str, *, force: bool = False) -> None:
    """Put another page in place of `params.yaml`, once it is known to be valid.

    Args:
        root: the project's root.
        content: the page.
        command: what was typed, for the message.
        force: also if changes are lost that are saved neither in git nor as a recipe.

    Raises:
        PodiumError: the page is not valid, or the present one has changes that would be lost.
    """
    if not force:
        require_saved(root, command)
    with atomic_write(root / PARAMS) as file:
        file.write_bytes(content)
        load_params(file)


def require_saved(root: Path, command: str) -> None:
    """Make sure that nothing is lost if `params.yaml` is replaced; see `replace_page`."""
    if not _is_saved(root):
        raise PodiumError(
            f"{PARAMS} has changes that are saved nowhere else. Commit it (`git commit {PARAMS}`), or copy it to "
            f"recipes/ under a name of its own, or discard them with `{command} --force`."
        )


def _is_saved(root: Path) -> bool:
    now = _read(root / PARAMS)
    if now is None or any(path.read_bytes() == now for path in (root / "recipes").glob("*.yaml")):
        return True
    return ask_git(root, "show", f"HEAD:./{PARAMS}") == now


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
