"""`podium export NAME@VERSION --to TARGET`: a version as files for other runtimes, each proved against Keras."""

import argparse
import logging
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless

if TYPE_CHECKING:
    from podium.serving.export.table import Row

WIDTH = 110
"""Letters of the table at least, so that no number is broken."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the version, the targets and the folder."""
    parser.add_argument("model", metavar="NAME@VERSION", help="of MLflow: digits/3, digits@champion; or a folder")
    parser.add_argument(
        "--to",
        action="append",
        default=[],
        metavar="TARGET[,TARGET]",
        help="keras, onnx, litert, saved_model, tfjs, web, space; or all that this model can have",
    )
    parser.add_argument("--out", metavar="FOLDER", help="where to (default: exports/NAME-VERSION)")
    parser.add_argument("--check", action="store_true", help="ask every runtime and print the table; leave no files")
    parser.add_argument("--rest", action="store_true", help="with --check: ask `mlflow models serve`, too")


def run(root: Path, arguments: argparse.Namespace) -> int:
    """Print the table; the exit status is 1 if a runtime says something else than Keras."""
    from podium.errors import PodiumError
    from podium.serving.export.targets import ALL, choose_targets

    if not arguments.to and not arguments.check:
        raise PodiumError(f"Say what to export to: `podium export {arguments.model} --to onnx`, or `--to all`.")
    if arguments.rest and not arguments.check:
        raise PodiumError("--rest goes with --check: it asks a server, and writes no files.")
    words: Sequence[str] = arguments.to or [ALL]
    targets = choose_targets(words)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("podium").setLevel(logging.INFO)
    from podium.serving.export.exporting import check, export  # MLflow: three seconds to import
    from podium.serving.export.table import DIFFERS

    out = arguments.here / arguments.out if arguments.out else None
    command = _command(arguments)
    if arguments.check:
        report = check(root, arguments.model, targets, out, command, rest=arguments.rest)
    else:
        may_skip = any(ALL in word.split(",") for word in words)
        report, out = export(root, arguments.model, targets, out, command, may_skip=may_skip)
    _show(report.rows)
    print(harmless(report.caption()))
    if out is not None:
        print(harmless(f"\n{report.title} is exported to {out}" if not arguments.check else f"\nThe table is in {out}"))
    return int(any(row.verdict == DIFFERS for row in report.rows))


def _command(arguments: argparse.Namespace) -> str:
    words = ["podium", "export", arguments.model]
    words += ["--check"] if arguments.check else []
    words += ["--rest"] if arguments.rest else []
    words += ["--to", ",".join(arguments.to)] if arguments.to else []
    return shlex.join(words)


def _show(rows: "Sequence[Row]") -> None:
    from rich.console import Console
    from rich.table import Table

    from podium.serving.export.table import AGREES, HEADERS

    shown = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in HEADERS:
        shown.add_column(title, overflow="fold", no_wrap=title != HEADERS[-1])
    for row in rows:
        shown.add_row(*map(harmless, [*row.cells()[:-1], row.verdict]))
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = max(console.width, WIDTH)
    console.print(shown)
    print()
    for row in rows:
        if row.note and row.verdict != AGREES:
            print(harmless(f"{row.target} {row.file}".strip() + f": {row.verdict}: {row.note}.\n"))
