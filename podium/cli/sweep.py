"""`podium sweep [NAME...]`: many candidates at once, and which of them is really best."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the candidates, the grid, and where to train."""
    parser.add_argument(
        "candidates", nargs="*", metavar="NAME", help="candidates, or datasets for all of theirs; all by default"
    )
    parser.add_argument(
        "-S",
        "--set-param",
        action="append",
        default=[],
        dest="grid",
        metavar="KEY=A,B",
        help="values of a key of params.yaml, as `dvc exp run -S` takes them; several make a grid",
    )
    parser.add_argument("--seeds", type=_number, default=1, metavar="N", help="train each with so many seeds")
    parser.add_argument(
        "--workers", type=_number, metavar="N", help="trainings side by side here; by default one a processor"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="train on the workers of this Dask scheduler")
    parser.add_argument(
        "--remote", metavar="NAME", help="the DVC remote by which machines exchange data and results, e.g. an S3"
    )


def run(_root: Path, arguments: argparse.Namespace) -> int:
    """Run the flow `compare` once."""
    from flows.compare.run import main  # DVC: a fifth of a second to import

    return main(
        arguments.candidates,
        arguments.grid,
        arguments.seeds,
        arguments.workers,
        arguments.scheduler,
        arguments.remote,
    )


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)
