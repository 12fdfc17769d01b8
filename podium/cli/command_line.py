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
from podium.garbage import collect_seldom
from podium.paths import project_root

COMMANDS = {
    "list": "show the recipes",
    "use": "make a recipe the params.yaml of this project",
    "init": "look at a dataset's archive and write a params.yaml for it, to be corrected",
    "validate": "look at every image of a dataset, and say what is wrong",
    "compare": "hold models beside each other on the same images, and say whether they differ",
    "sweep": "train many candidates at once, and say which is really best",
    "predict": "say what a model sees in image files, folders and archives",
    "promote": "make a version champion, if the gate says so, or with a reason of your own",
    "rollback": "make the champion before this one champion again",
    "recall": "withdraw a version, wherever it is asked for",
    "history": "tell what happened to a dataset's champions, and why",
    "verify": "check a version, or all of models.lock: commit, data, bytes, answers, decision",
    "pin": "write a version and the sha256 of its files into models.lock",
    "sign": "sign a version's files with a key of your own",
    "export": "write a version as files for other runtimes, each proved to answer as Keras does",
    "reproduce": "build a version again from its commit, lock and data, and compare it with what it was",
    "serve": "a page in the browser that asks the champions about images",
    "watch": "say whether what is asked of a champion is what it was accepted on",
    "feedback": "look through what people labelled in the app, and accept or refuse it",
    "run": "run the pipeline now: stages, MLflow, promotion",
    "sync": "send MLflow the results that it did not take, and close the runs that kills left",
    "schedule": "stay, and retrain by the clock where there is a reason to; needs a Prefect server",
    "notify": "have Prefect tell a webhook of failures and new champions; needs a Prefect server",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after `podium`; by default those of the command line.

    Returns:
        The exit status: 0, or 1 after a message on standard error.
    """
    collect_seldom()
    parsed = make_parser().parse_args(arguments)
    parsed.here = Path.cwd()
    try:
        root = project_root()
        os.chdir(root)  # like dvc and git, podium works from any folder of the project
        status = int(_module(parsed.command).run(root, parsed) or 0)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # `podium list | head`: who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
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
