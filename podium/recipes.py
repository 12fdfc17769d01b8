"""The ready-made params pages under `recipes/`."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from podium.config import load_params
from podium.errors import PodiumError, nearest
from podium.paths import PARAMS, written_whole


@dataclass(frozen=True)
class Recipe:
    """What `podium list` shows of a recipe."""

    name: str
    datasets: list[str]
    candidates: list[str]
    in_use: bool


def describe_recipes(root: Path) -> list[Recipe]:
    """Describe every recipe of the project, by name."""
    now = _read(root / PARAMS)
    recipes = []
    for path in sorted((root / "recipes").glob("*.yaml")):
        page = load_params(path)
        recipes.append(Recipe(path.stem, [*page.datasets], [*page.candidates], path.read_bytes() == now))
    return recipes


def use_recipe(root: Path, name: str, *, force: bool = False) -> None:
    """Put a recipe in place of `params.yaml`.

    Args:
        root: the project's root.
        name: the recipe's.
        force: also over changes that neither git nor a recipe holds.

    Raises:
        PodiumError: there is no such recipe, or the page has changes that would be lost.
    """
    recipes = {path.stem: path for path in (root / "recipes").glob("*.yaml")}
    if name not in recipes:
        raise PodiumError(f"There is no recipe '{name}'. {nearest(name, recipes)}")
    load_params(recipes[name])
    page = root / PARAMS
    if not force and not _is_saved(root):
        raise PodiumError(
            f"{PARAMS} has changes that are saved nowhere else. Commit it (`git commit {PARAMS}`), or copy it to "
            f"recipes/ under a name of its own, or give them up with `podium use {name} --force`."
        )
    with written_whole(page) as file:
        shutil.copyfile(recipes[name], file)


def _is_saved(root: Path) -> bool:
    now = _read(root / PARAMS)
    if now is None or any(path.read_bytes() == now for path in (root / "recipes").glob("*.yaml")):
        return True
    try:
        committed = subprocess.run(
            ["git", "-C", str(root), "show", f"HEAD:./{PARAMS}"], capture_output=True, check=False
        )
    except OSError:  # no git here, so nothing is saved there
        return False
    return committed.returncode == 0 and committed.stdout == now


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
