"""`podium init REFERENCE`: a first `params.yaml` for a dataset."""

import argparse
import logging
import sys
from pathlib import Path

from podium.cli.use import FORCE
from podium.paths import PARAMS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where the dataset is."""
    parser.add_argument(
        "reference",
        metavar="REFERENCE",
        help="kaggle:OWNER/SLUG (a dataset), kaggle:SLUG (a competition), its address; a folder, zip, 7z or tar.gz",
    )
    parser.add_argument("--name", help="the dataset's name: lower-case words joined by hyphens")
    parser.add_argument(
        "--as", type=int, metavar="N", dest="number", help="take this reading of the archive, where several were told"
    )
    parser.add_argument("--force", action="store_true", help=FORCE)


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Write the params page, and say what it is a guess from."""
    from podium.datasets.starter import init_page  # pandas, OpenCV and scikit-learn: two seconds to import

    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    draft = init_page(
        root,
        arguments.reference,
        arguments.here,
        name=arguments.name,
        force=arguments.force,
        number=arguments.number,
    )
    print(f"{PARAMS} is now a draft for this dataset:")
    lines = [f"  {title:<9} {fact}" for title, fact in draft.facts.items()]
    lines += [f"Note: {note}" for note in draft.notes] + [f"Problem: {problem}" for problem in draft.problems]
    for line in "\n".join(lines).split("\n"):  # a stranger's names may hold what a terminal obeys
        print("".join(letter if letter.isprintable() else "?" for letter in line))
    print(f"Next: look through {PARAMS}, then `dvc repro` or `podium run`.")
