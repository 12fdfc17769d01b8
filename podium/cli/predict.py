"""`podium predict IMAGE…`: what a model says of image files, folders and archives."""

import argparse
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless
from podium.errors import PodiumError

if TYPE_CHECKING:
    from podium.serving.predictor import Answer, AnyImage, Predictor
    from podium.serving.showing import Exhibition
    from podium.serving.sources import Source, Sources
    from podium.serving.submission import Submission

FORMATS = ("table", "json", "csv", "parquet")
MAX_ROWS = 200
"""Of a table on a screen; as many images that could not be read are named below it."""
SHOWN_OTHERS = 2
"""Classes beside the answer in a table."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the images, the model, and what becomes of the answers."""
    parser.epilog = (
        "Exit status: 0 if all images were answered, 1 if any could not be read; the others are answered all the same."
    )
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE|FOLDER|ARCHIVE",
        help="image files, folders and archives (zip, tar, 7z, read in place; archive.zip/train is a folder in one)",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="digits@champion, digits/3, a candidate that is trained here, or the folder of a logged model (default: "
        "the champion of the only dataset of params.yaml that has one)",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="of the answers (default: what --output's name ends in, else a table)"
    )
    parser.add_argument("--output", metavar="FILE", help="write the answers there, not to the screen")
    parser.add_argument(
        "--show", metavar="FOLDER", help="draw each image with its box, or with where the model sees the class"
    )
    parser.add_argument("--submission", metavar="FILE", help="also write a competition's CSV, as the options below say")
    parser.add_argument(
        "--columns", default="id,label", metavar="ID,VALUE", help="the submission's columns (default: %(default)s)"
    )
    parser.add_argument(
        "--id",
        choices=("number", "stem", "name"),
        default="number",
        help="the submission's id: the number that a file's name ends in, its name without the ending, or its name "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--value",
        choices=("index", "label", "probability"),
        default="index",
        help="the submission's value: the class's place among the classes, from 0; its name; or the probability of the "
        "class --positive (default: %(default)s)",
    )
    parser.add_argument("--positive", metavar="CLASS", help="for --value probability (default: the last class)")


def run(root: Path, arguments: argparse.Namespace) -> int:
    """Answer, and print or write the answers; the exit status is 1 if an image could not be read."""
    form, output = _choose_format(arguments), _place(arguments, arguments.output)
    from podium.serving import finding  # MLflow: three seconds to import
    from podium.serving.predictor import Predictor
    from podium.serving.sources import find_sources

    model = arguments.model or finding.choose_champion(root)
    if not finding.is_registered(model) and (_place(arguments, model) / finding.MLMODEL).is_file():
        model = str(_place(arguments, model))
    with find_sources((_place(arguments, name), name) for name in arguments.images) as sources:
        predictor = Predictor.load(finding.find_model(root, model))
        for note in sources.notes:
            _say(note)
        session = _Session(predictor, sources, arguments)
        _write(form, session, predictor, output)
        return session.finish()


class _Session:
    """One run of the command: answers go by, and whoever wants to see them does."""

    def __init__(self, predictor: "Predictor", sources: "Sources", arguments: argparse.Namespace) -> None:
        self.bad = 0
        self._predictor, self._sources = predictor, sources
        self._submission = _make_submission(arguments, predictor, sources)
        self._submission_file = _place(arguments, arguments.submission)
        self._shown = _open_exhibition(predictor, arguments)

    def rows(self) -> "Iterator[tuple[str, Answer]]":
        """Give each image's name and the answer about it, in order."""
        from podium.progress import show_progress

        sources = self._sources.found
        waiting: deque[tuple[Source, AnyImage]] = deque()

        def images() -> "Iterator[AnyImage]":
            for source in sources:
                image = source.load()
                waiting.append((source, image))
                yield image

        for answer in show_progress(self._predictor.stream(images()), "images", total=len(sources)):
            source, image = waiting.popleft()
            self.bad += bool(answer["error"])
            if self._submission is not None:
                self._submission.add(source.name, answer)
            if self._shown is not None:
                self._shown.add(source.name, image, answer)
            yield source.name, answer

    def finish(self) -> int:
        """Write what is written at the end, say where it is, and give the exit status."""
        if self._shown is not None:
            _say(f"Look at {self._shown.close()}")
        if self._submission is not None:
            count = self._submission.save(self._submission_file)
            left_out = f"; {self._submission.missing:,} images could not be read and have none" if self.bad else ""
            described = self._submission.form.describe(self._predictor.classes)
            _say(f"{self._submission_file}: {count:,} rows{left_out}. {described}.")
        if self.bad:
            _say(f"{self.bad:,} of {len(self._sources.found):,} images could not be read.")
        return int(self.bad > 0)


def _open_exhibition(predictor: "Predictor", arguments: argparse.Namespace) -> "Exhibition | None":
    if not arguments.show:
        return None
    from podium.serving.showing import Exhibition  # matplotlib's fonts

    return Exhibition(predictor, _place(arguments, arguments.show))


def _make_submission(arguments: argparse.Namespace, predictor: "Predictor", sources: "Sources") -> "Submission | None":
    if not arguments.submission:
        return None
    from podium.images.opening import BadImageError
    from podium.serving.submission import Form, Submission

    first, comma, second = arguments.columns.partition(",")
    if not comma or "," in second:
        raise PodiumError(f"--columns is '{arguments.columns}'. Expected two names: --columns id,label.")
    form = Form((first, second), arguments.id, arguments.value, arguments.positive)
    form.check(predictor.classes)
    submission = Submission(form, predictor.classes)
    submission.check_names(source.name for source in sources.found if not isinstance(source.place, BadImageError))
    return submission


def _choose_format(arguments: argparse.Namespace) -> str:
    """Give the format that is asked for, or that a file's name says."""
    ending = Path(arguments.output or "").suffix.removeprefix(".").lower()
    form = str(arguments.format or (ending if ending in FORMATS else ""))
    if arguments.output and form in ("", "table"):
        raise PodiumError(f"What is {arguments.output} to be? Expected a name in .csv, .json or .parquet, or --format.")
    if form == "parquet" and not arguments.output:
        raise PodiumError("Parquet is no text for a screen: name a file, --output answers.parquet.")
    return form or "table"


def _place(arguments: argparse.Namespace, name: str | None) -> Path:
    return Path(arguments.here, Path(name or ".").expanduser())


def _write(form: str, session: _Session, predictor: "Predictor", output: Path) -> None:
    from podium.serving import tables

    path = None if form == "table" or output.is_dir() else output
    match form:
        case "table":
            _print_table(session, predictor)
        case "parquet":
            tables.write_parquet(session.rows(), predictor.classes, boxes=predictor.has_boxes, path=output)
        case "csv":
            with tables.write_to(path, sys.stdout) as file:
                tables.write_csv(session.rows(), predictor.classes, boxes=predictor.has_boxes, file=file)
        case "json":
            with tables.write_to(path, sys.stdout) as file:
                tables.write_json(session.rows(), file)


def _print_table(session: _Session, predictor: "Predictor") -> None:
    """Print a table of the images that were answered, and a line for each that could not be read."""
    from rich.console import Console
    from rich.table import Table

    with_others = len(predictor.classes) > 2
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    titles = ["image", "answer", *(["next"] if with_others else []), *(["box"] if predictor.has_boxes else [])]
    for title in titles:
        table.add_column(title, overflow="fold")
    faults: list[str] = []
    count = 0
    for name, answer in session.rows():
        count += 1
        if answer["error"] and len(faults) < MAX_ROWS:
            faults.append(f"{name}: no answer: {answer['error']}")
        elif not answer["error"] and table.row_count < MAX_ROWS:
            table.add_row(*_cells(name, answer, predictor, with_others=with_others))
    console = Console(highlight=False, markup=False, emoji=False)
    if table.row_count:
        console.print(table)
    for fault in faults:
        console.print(harmless(fault), soft_wrap=True)
    if left := count - table.row_count - len(faults):
        print(f"and {left:,} more: --output answers.csv writes all")


def _cells(name: str, answer: "Answer", predictor: "Predictor", *, with_others: bool) -> list[str]:
    from podium.serving.wording import describe, describe_others

    cells = [name, describe(answer)]
    if with_others:
        cells.append(describe_others(answer, SHOWN_OTHERS))
    if predictor.has_boxes:
        left, top, right, bottom = (round(edge) for edge in answer["box"])
        cells.append(f"{left}, {top} to {right}, {bottom}")
    return [harmless(cell) for cell in cells]


def _say(text: str) -> None:
    print(harmless(text), file=sys.stderr)
