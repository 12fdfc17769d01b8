"""`podium compare A B…`: models beside each other, image by image."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless
from podium.config import load_params
from podium.errors import PodiumError, nearest
from podium.paths import PARAMS, CandidatePaths, DatasetPaths

if TYPE_CHECKING:
    from podium.config import Params
    from podium.evaluation.comparison import Comparison, Contender

MAX_MODELS = 6
"""More have no colours of their own, and no place beside each other."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the models, and the split."""
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="a candidate of params.yaml, as reports/ has it; or of MLflow: digits/3, digits@champion, a run's id. "
        "The first is what the others are compared with",
    )
    parser.add_argument(
        "--split", choices=("test", "validation"), default="test", help="whose images (default: %(default)s)"
    )


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Print the figures and how they differ, and write the page."""
    from tempfile import TemporaryDirectory

    names = list(dict.fromkeys(arguments.models))
    if not 2 <= len(names) <= MAX_MODELS:
        raise PodiumError(
            f"{len(names)} model{' is' if len(names) == 1 else 's are'} named. Expected two to {MAX_MODELS} different "
            "ones: `podium compare digits-dense digits-cnn`."
        )
    params = load_params()
    for name in names:
        _check(params, name)
    from podium.evaluation.comparison import compare, page_path, write_page  # scipy and pandas: two seconds to import

    with TemporaryDirectory(prefix="podium-") as folder:
        contenders = [_read(root, params, name, Path(folder) / str(place)) for place, name in enumerate(names)]
    comparison = compare(contenders, arguments.split)
    page = page_path(comparison.dataset, names, arguments.split)
    write_page(comparison, root / DatasetPaths(comparison.dataset).processed, root / page)
    _show(comparison)
    print(f"Look at {page}")


def _check(params: "Params", name: str) -> None:
    """Raise PodiumError if a name is neither a candidate's nor of MLflow's forms."""
    if name not in params.candidates and not ({*"/@"} & {*name}) and not _is_run(name):
        raise PodiumError(
            f"{PARAMS} has no candidate '{name}'. {nearest(name, params.candidates)} Of MLflow: digits/3, "
            "digits@champion or a run's id."
        )


def _is_run(name: str) -> bool:
    return len(name) == 32 and {*name} <= {*"0123456789abcdef"}


def _read(root: Path, params: "Params", name: str, folder: Path) -> "Contender":
    import pandas as pd

    from podium.evaluation.comparison import read_contender

    if name not in params.candidates:
        from podium.tracking.published import fetch  # MLflow: three seconds to import

        found = fetch(root, name, folder)
        return read_contender(name, found.dataset, found.reports, found.curves, found.where)
    paths = CandidatePaths(name, params.candidate(name).dataset)
    if not (root / paths.reports / "predictions.parquet").is_file():
        raise PodiumError(
            f"{name} is not evaluated yet: {paths.reports} has no predictions. Run `dvc repro evaluate@{name}`."
        )
    history = root / paths.history
    curves = pd.read_csv(history) if history.is_file() else pd.DataFrame()
    return read_contender(name, paths.dataset, root / paths.reports, curves, paths.reports.as_posix())


def _show(comparison: "Comparison") -> None:
    """Print two tables that fit into 80 columns where names are short: the figures, and how they differ."""
    from rich.console import Console
    from rich.table import Table

    from podium.evaluation.comparison.page import say_chance

    names = [harmless(one.name) for one in comparison.contenders]
    figures, differences = (Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0)) for _ in "12")
    for table, titles in ((figures, ["figure"]), (differences, [f"difference to {names[0]}", "p", "verdict"])):
        for title in ("metric", "model", *titles):
            table.add_column(title, overflow="fold")
    for figure in comparison.figures:
        for place, (name, one) in enumerate(zip(names, figure.estimates, strict=True)):
            figures.add_row("" if place else figure.title, name, f"{one.value:.4f}{_interval(one.low, one.high)}")
        for place, (name, found) in enumerate(zip(names[1:], figure.differences, strict=True)):
            value = f"{found.value:+.4f}{_interval(found.low, found.high, '+')}"
            chance, verdict = say_chance(found.p_value), figure.verdict(place)
            differences.add_row("" if place else figure.title, name, value, chance, verdict)
    console = Console(highlight=False, markup=False, emoji=False)
    for table in (figures, differences):
        console.print(table)
        print()
    for sentence in comparison.describe():
        print(harmless(sentence))


def _interval(low: float | None, high: float | None, sign: str = "") -> str:
    return "" if low is None or high is None else f" ({low:{sign}.3f} to {high:{sign}.3f})"
