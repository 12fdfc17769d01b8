"""`podium validate [NAME]`: validate a dataset; write its limits, or accept it as the version to compare with."""

import argparse
from pathlib import Path

from podium.paths import PARAMS, DatasetPaths


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the dataset, and what to do once it is validated."""
    parser.add_argument("dataset", nargs="?", metavar="NAME", help="the dataset; may be left out if there is one")
    parser.add_argument(
        "--infer", action="store_true", help="write the limits that it keeps into params.yaml, to be reviewed"
    )
    parser.add_argument(
        "--accept", action="store_true", help="take it as the version that later ones are compared with"
    )


def run(_root: Path, arguments: argparse.Namespace) -> None:
    """Validate, then infer limits and accept, where asked for."""
    from podium.datasets import acceptance  # pandas: half a second to import

    name = acceptance.choose_dataset(arguments.dataset)
    acceptance.validate(name)
    print(f"Look at {DatasetPaths(name).validation / 'index.html'}")
    if arguments.infer:
        for line in acceptance.infer_limits(name):
            print(f"  {line}")
        print(f"{PARAMS} has these limits now. Review them (`git diff {PARAMS}`), then `podium validate {name}`.")
    if arguments.accept:
        pointer = acceptance.accept(name)
        print(f"Accepted. Commit it: `git add {PARAMS} {pointer} {pointer.parent}/.gitignore && git commit`.")
