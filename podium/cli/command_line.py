"""The command line: which command is asked for, and what becomes of its errors."""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from podium.cli.screen import harmless
from podium.errors import PodiumError
from podium.paths import project_root

COMMANDS = {
    "list": "show the recipes",
    "use": "make a recipe the params.yaml of this project",
    "init": "look at a dataset's archive and write a params.yaml for it, to be corrected",
    "validate": "look at every image of a dataset, and say what is wrong",
    "compare": "hold models beside each other on the same images, and say whether they differ",
    "run": "run the pipeline now: stages, MLflow, promotion",
    "schedule": "stay, and run the pipeline by the clock; needs a Prefect server",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `podium`; by default those of the command line.

    Returns:
        The exit status: 0, or 1 after a message on standard error.
    """
    parsed = make_parser().parse_args(arguments)
    parsed.here = Path.cwd()
    try:
        root = project_root()
        os.chdir(root)  # like dvc and git, podium works from any folder of the project
        return int(_module(parsed.command).run(root, parsed) or 0)
    except PodiumError as error:
        if parsed.debug:
            raise
        print(harmless(f"podium: {error}"), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands; a command's module may import only what is light at its top."""
    parser = argparse.ArgumentParser(
        prog="podium",
        description="From a Kaggle image dataset to a promoted model, with nothing left to trust on faith.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--debug", action="store_true", help="show the traceback of a mistake")
        _module(name).add_arguments(command)
    return parser


def _module(command: str) -> Any:
    return import_module(f"podium.cli.{command}")
