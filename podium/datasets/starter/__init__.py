"""A first `params.yaml` for a dataset that podium sees for the first time: what `podium init` does."""

import logging
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from podium.config import Candidate, Dataset
from podium.config.datasets import ArchiveSource, KaggleSource
from podium.config.fields import Name
from podium.config.recipes import replace_page, require_saved
from podium.datasets.archive import ARCHIVE, Archive
from podium.datasets.formats import read, read_validated
from podium.datasets.formats.detect import Survey, survey, with_class_names
from podium.datasets.formats.image_files import UNLABELLED
from podium.datasets.formats.survey.choosing import UnclearError
from podium.datasets.formats.survey.reading import Reading
from podium.datasets.inventory import Inventory, take_inventory
from podium.datasets.masks import count_classes, has_label, is_readable
from podium.datasets.sources import fetch
from podium.datasets.starter import choices
from podium.datasets.starter.look import Look, choose_rows, write_look
from podium.datasets.starter.page import SCHEDULE, Found, write_page
from podium.datasets.starter.problems import find_problems
from podium.datasets.starter.readings import write_readings
from podium.datasets.starter.reference import name_dataset, read_reference
from podium.datasets.validation.limits import infer_validation
from podium.datasets.validation.scan import build_manifest
from podium.datasets.validation.thumbnails import Remembered, collect_thumbnails
from podium.errors import PodiumError
from podium.files import atomic_write
from podium.paths import DatasetPaths

__all__ = ["Draft", "init_page"]

logger = logging.getLogger(__name__)

MAX_CLASSES_NAMED = 10
"""Classes that are named on the screen."""

_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Draft:
    """A page, and what a person is told of it."""

    page: bytes
    facts: dict[str, str]
    notes: list[str]
    problems: list[str]
    """What `dvc repro` will stop at, each with what to do."""
    others: list[tuple[int | None, Reading]]
    """Readings that were not taken, each with the number that takes it, if podium can read it."""
    look: Path
    """The HTML page for people to see whether the labels are right."""


def init_page(
    root: Path,
    reference: str,
    here: Path,
    *,
    name: str | None = None,
    force: bool = False,
    number: int | None = None,
    ask: Callable[[UnclearError], int | None] | None = None,
) -> Draft:
    """Look at a dataset's archive, and put a page for it in place of `params.yaml`.

    Args:
        root: the project's root; the current folder, too.
        reference: a dataset or a competition on Kaggle, or a path.
        here: the folder that a relative path starts from.
        name: the dataset's; by default it is made of the slug or of the path.
        force: also over a page with changes that neither git nor a recipe holds.
        number: of the reading to take, where several were told.
        ask: gives the number of the reading to take where it is not clear, or None to take none. Its error says where
            the page is that shows them.

    Raises:
        UnclearError: several readings fit, and none was asked for; an HTML page shows them.
        PodiumError: the archive cannot be had, or is laid out in no known way, or the page's changes would be lost.
    """
    command = shlex.join(["podium", "init", reference, *(["--name", name] if name else [])])
    source = read_reference(reference, root, here)
    name = _checked(name or name_dataset(source))
    words = ["podium", "init", reference, "--name", name]
    if not force:
        require_saved(root, command)
    with _arrived(source, name, command) as (raw, what), Archive(raw) as archive:
        try:
            found = survey(archive, number)
        except UnclearError as unclear:
            found = _chosen(unclear, raw, name, [*words, *(["--force"] if force else [])], ask)
        logger.info("took %s; it is laid out as %s; looking at every image", what, found.format.kind)
        images = Remembered(lambda: read(raw, found.format))
        manifest = build_manifest(images.first())
        inventory = take_inventory(archive, found.format, manifest["id"])
        found = with_class_names(found, set(choices.labelled_rows(manifest)["label"]))
        draft, look = _draft(name, source, found, manifest, inventory, reference, words)
        rows = choose_rows(look)
        shown = (
            images.again() if images.kept else read_validated(raw, found.format, manifest, manifest.index.isin(rows))
        )
        thumbnails = collect_thumbnails(shown, rows)
    replace_page(root, draft.page, command, force=force)
    with atomic_write(draft.look) as file:
        write_look(look, thumbnails, file)
    if source.kind == "kaggle":
        draft.facts["archive"] = (
            f"{DatasetPaths(name).downloads / ARCHIVE}, where `dvc repro` looks before it downloads"
        )
    return draft


def _chosen(
    unclear: UnclearError,
    raw: Path,
    name: str,
    command: list[str],
    ask: Callable[[UnclearError], int | None] | None,
) -> Survey:
    """Show the readings on a page, and take the one that a person chooses, if there is one to ask."""
    if not unclear.count:
        raise unclear
    path = DatasetPaths(name).init
    with atomic_write(path) as file:
        write_readings(unclear, raw, name, command, file)
    unclear = unclear.with_hint(f"Look at them: {path}")
    number = ask(unclear) if ask else None
    if number is None:
        raise unclear from None
    return unclear.take(number)


def _checked(name: str) -> str:
    try:
        return _NAME.validate_python(name)
    except ValidationError:
        raise PodiumError(
            f"'{name}' cannot be a dataset's name. Expected lower-case letters and digits, with hyphens between words: "
            "--name sign-language."
        ) from None


@contextmanager
def _arrived(source: KaggleSource | ArchiveSource, name: str, command: str) -> Iterator[tuple[Path, str]]:
    """Bring the archive here for a while; give its raw folder, and say what arrived. Kaggle's stays in `downloads`."""
    data, downloads = Path("data"), DatasetPaths(name).downloads
    if source.kind == "kaggle" and (downloads / ARCHIVE).is_file():
        logger.info("%s is there already; remove it to download anew", downloads / ARCHIVE)
    data.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix=".init-", dir=data) as scratch:
        raw = Path(scratch) / name
        raw.mkdir()
        try:
            what = fetch(source, raw, downloads)
        except PodiumError as error:
            if source.kind == "archive":
                raise
            raise error.with_hint(f"{error.hint}\nHere, type `{command}` where it says `dvc repro`.") from None
        if source.kind == "kaggle":
            downloads.mkdir(parents=True, exist_ok=True)
            (raw / ARCHIVE).replace(downloads / ARCHIVE)
            raw = downloads
        yield raw, what


def _draft(
    name: str,
    source: KaggleSource | ArchiveSource,
    found: Survey,
    manifest: pd.DataFrame,
    inventory: Inventory,
    reference: str,
    command: list[str],
) -> tuple[Draft, Look]:
    """Choose what the page says, and write it."""
    labelled = choices.labelled_rows(manifest)
    classes = choices.choose_classes(labelled["label"], found.format, found.reading.names)
    counts = count_classes(labelled["label"], labelled["part"], classes)
    split, no_split = choices.choose_split(manifest[is_readable(manifest)])
    target, notes = choices.choose_target(labelled)
    dataset = Dataset(
        source=source,
        format=found.format,
        target=target,
        classes=classes,
        image=choices.choose_image(labelled),
        split=split,
        validation=infer_validation(labelled, counts, leaking=_in_two_parts(labelled), left_aside=inventory.left),
        reference=[],
    )
    schedule = choices.choose_schedule(boxes=target == "label_and_box")
    candidate = Candidate(dataset=name, model=choices.choose_model(dataset.image), schedule=SCHEDULE)
    unlabelled = int((~has_label(manifest)).sum())
    if unlabelled:
        notes.append(f"{unlabelled:,} images have no labels; they are the part `{UNLABELLED}`, which is not used.")
    notes = found.notes + notes
    problems = find_problems(manifest, counts, no_split)
    look = Look(name, command, dataset, manifest, counts, found, inventory, notes, problems)
    notes = notes + inventory.sentences()
    page = write_page(name, dataset, schedule, candidate, Found(reference, labelled, counts, unlabelled, notes))
    facts = _facts(dataset, counts, unlabelled) | {
        "files": f"{inventory.images:,} images, {inventory.tables:,} tables, {inventory.left:,} left aside"
    }
    return Draft(page, facts, notes, problems, found.others, DatasetPaths(name).init), look


def _in_two_parts(labelled: pd.DataFrame) -> bool:
    """Say whether two parts of the archive have images with the same bytes."""
    return bool((labelled.groupby("sha256")["part"].nunique() > 1).any())


def _facts(dataset: Dataset, counts: pd.DataFrame, unlabelled: int) -> dict[str, str]:
    parts = {**counts.sum(), **({UNLABELLED: unlabelled} if unlabelled else {})}
    names = ", ".join([*dataset.classes][:MAX_CLASSES_NAMED]) + (
        ", …" if len(dataset.classes) > MAX_CLASSES_NAMED else ""
    )
    image = dataset.image
    return {
        "format": dataset.format.kind,
        "images": ", ".join(f"{part} {count:,}" for part, count in parts.items()),
        "classes": f"{len(dataset.classes):,}: {names}",
        "size": f"{image.height} × {image.width} × {image.channels}",
    }
