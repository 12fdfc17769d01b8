"""`podium use RECIPE`: a recipe becomes the `params.yaml` of this project."""

import argparse
from pathlib import Path

from podium.config.recipes import use_recipe
from podium.paths import PARAMS

FORCE = "also over a params.yaml with changes that are saved nowhere"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the recipe's name."""
    parser.add_argument("recipe", help="its name, as `podium list` shows it")
    parser.add_argument("--force", action="store_true", help=FORCE)


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Put the recipe in place of the params page."""
    use_recipe(root, arguments.recipe, force=arguments.force)
    print(f"{PARAMS} is now the recipe '{arguments.recipe}'. Next: `podium run`, or `dvc repro`.")
