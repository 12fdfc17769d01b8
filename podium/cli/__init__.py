"""The `podium` command: `podium --help` shows all of it. It imports nothing heavy before it is asked to."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from podium.config.recipes import describe_recipes, use_recipe
from podium.errors import PodiumError
from podium.paths import PARAMS, DatasetPaths, project_root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `podium`; by default those of the command line.

    Returns:
        The exit status: 0, or 1 after a message on standard error.
    """
    parsed = _parser().parse_args(arguments)
    parsed.here = Path.cwd()
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
    use.add_argument("--force", action="store_true", help=_FORCE)
    use.set_defaults(command=_use)

    init = commands.add_parser(
        "init", parents=[common], help="look at a dataset's archive and write a params.yaml for it, to be corrected"
    )
    init.add_argument(
        "reference",
        metavar="REFERENCE",
        help="kaggle:OWNER/SLUG (a dataset), kaggle:SLUG (a competition), its address, or a folder, zip or tar.gz here",
    )
    init.add_argument("--name", help="the dataset's name: lower-case words joined by hyphens")
    init.add_argument("--force", action="store_true", help=_FORCE)
    init.set_defaults(command=_init)

    validate = commands.add_parser(
        "validate", parents=[common], help="look at every image of a dataset, and say what is wrong"
    )
    validate.add_argument("dataset", nargs="?", metavar="NAME", help="the dataset; may be left out if there is one")
    validate.add_argument(
        "--infer", action="store_true", help="write the limits that it keeps into params.yaml, to be reviewed"
    )
    validate.add_argument(
        "--accept", action="store_true", help="take it as the version that later ones are compared with"
    )
    validate.set_defaults(command=_validate)

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


_FORCE = "also over a params.yaml with changes that are saved nowhere"


def _list(root: Path, parsed: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("recipe", no_wrap=True)
    table.add_column("source; dataset: candidates", overflow="fold")
    table.add_column("published", no_wrap=True)
    faults = []
    for recipe in describe_recipes(root):
        title = f"{recipe.name}{' *' if recipe.in_use else ''}"
        for entry in recipe.entries:
            what = f"{entry.source}\n{entry.dataset}: {', '.join(entry.candidates)}"
            table.add_row(title, what, "\n".join(entry.published), end_section=True)
            title = ""
        if recipe.fault:
            table.add_row(title, "cannot be read: see below")
            faults.append(recipe.fault)
    Console().print(table)
    print("* is in use: params.yaml is the same")
    for fault in faults:
        print(f"\n{fault}")


def _use(root: Path, parsed: argparse.Namespace) -> None:
    use_recipe(root, parsed.recipe, force=parsed.force)
    print(f"{PARAMS} is now the recipe '{parsed.recipe}'. Next: `podium run`, or `dvc repro`.")


def _init(root: Path, parsed: argparse.Namespace) -> None:
    from podium.datasets.starter import init_page  # pandas, OpenCV and scikit-learn: two seconds to import

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    draft = init_page(root, parsed.reference, parsed.here, name=parsed.name, force=parsed.force)
    print(f"{PARAMS} is now a draft for this dataset:")
    lines = [f"  {title:<9} {fact}" for title, fact in draft.facts.items()]
    lines += [f"Note: {note}" for note in draft.notes] + [f"Problem: {problem}" for problem in draft.problems]
    for line in "\n".join(lines).split("\n"):  # a stranger's names may hold what a terminal obeys
        print("".join(letter if letter.isprintable() else "?" for letter in line))
    print(f"Next: look through {PARAMS}, then `dvc repro` or `podium run`.")


def _validate(root: Path, parsed: argparse.Namespace) -> None:
    from podium.datasets import acceptance  # pandas: half a second to import

    name = acceptance.choose_dataset(parsed.dataset)
    acceptance.validate(name)
    print(f"Look at {DatasetPaths(name).validation / 'index.html'}")
    if parsed.infer:
        for line in acceptance.infer_limits(name):
            print(f"  {line}")
        print(f"{PARAMS} has these limits now. Review them (`git diff {PARAMS}`), then `podium validate {name}`.")
    if parsed.accept:
        pointer = acceptance.accept(name)
        print(f"Accepted. Commit it: `git add {PARAMS} {pointer} {pointer.parent}/.gitignore && git commit`.")


def _run(root: Path, parsed: argparse.Namespace) -> int:
    from flows.pipeline import main as run_pipeline  # Prefect and MLflow: two seconds to import

    return run_pipeline(parsed.targets)


def _schedule(root: Path, parsed: argparse.Namespace) -> int:
    from flows.schedule import serve_pipeline  # Prefect: a second to import

    serve_pipeline(parsed.cron)
    return 0


if __name__ == "__main__":
    sys.exit(main())
