"""The `podium` command: `podium --help` shows all of it. It imports nothing heavy before it is asked to."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from podium.errors import PodiumError
from podium.paths import PARAMS, project_root
from podium.recipes import describe_recipes, use_recipe


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `podium`; by default those of the command line.

    Returns:
        The exit status: 0, or 1 after a message on standard error.
    """
    parsed = _parser().parse_args(arguments)
    try:
        root = project_root()
        os.chdir(root)  # like dvc and git, podium works from any folder of the project
        return int(parsed.command(root, parsed) or 0)
    except PodiumError as error:
        if parsed.debug:
            raise
        print(f"podium: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="podium",
        description="From a Kaggle image dataset to a promoted model, with nothing left to trust on faith.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="show the traceback of a mistake")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    listing = commands.add_parser("list", parents=[common], help="show the recipes")
    listing.set_defaults(command=_list)

    use = commands.add_parser("use", parents=[common], help="make a recipe the params.yaml of this project")
    use.add_argument("recipe", help="its name, as `podium list` shows it")
    use.add_argument("--force", action="store_true", help="also over a params.yaml with changes that are saved nowhere")
    use.set_defaults(command=_use)

    run = commands.add_parser("run", parents=[common], help="run the pipeline now: stages, MLflow, promotion")
    run.add_argument("targets", nargs="*", metavar="NAME", help="datasets or candidates; all of params.yaml by default")
    run.set_defaults(command=_run)

    schedule = commands.add_parser(
        "schedule", parents=[common], help="stay, and run the pipeline by the clock; needs a Prefect server"
    )
    schedule.add_argument(
        "--cron",
        default="0 3 * * *",
        help="when, as a cron line (default: %(default)s, every night at three)",
    )
    schedule.set_defaults(command=_schedule)
    return parser


def _list(root: Path, parsed: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for heading in ("recipe", "datasets", "candidates", "in use"):
        table.add_column(heading, no_wrap=heading != "candidates", overflow="fold")
    for recipe in describe_recipes(root):
        candidates = ", ".join(recipe.candidates)
        table.add_row(recipe.name, ", ".join(recipe.datasets), candidates, "yes" if recipe.in_use else "")
    Console().print(table)


def _use(root: Path, parsed: argparse.Namespace) -> None:
    use_recipe(root, parsed.recipe, force=parsed.force)
    print(f"{PARAMS} is now the recipe '{parsed.recipe}'. Next: `podium run`, or `dvc repro`.")


def _run(root: Path, parsed: argparse.Namespace) -> int:
    from flows.pipeline import main as run_pipeline  # Prefect and MLflow: two seconds to import

    return run_pipeline(parsed.targets)


def _schedule(root: Path, parsed: argparse.Namespace) -> int:
    from flows.schedule import serve_pipeline  # Prefect: a second to import

    serve_pipeline(parsed.cron)
    return 0


if __name__ == "__main__":
    sys.exit(main())
