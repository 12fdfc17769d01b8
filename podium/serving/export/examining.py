"""A version written in some targets, and each of their runtimes asked: the rows of the table."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from podium.datasets.arrays import open_split
from podium.errors import PodiumError
from podium.files import remove
from podium.models.quiet import hushed
from podium.paths import DatasetPaths
from podium.serving.export import table
from podium.serving.export.about import write_about
from podium.serving.export.golden_files import GoldenFile, make_golden_files
from podium.serving.export.layers import find_diverging, find_failing
from podium.serving.export.parity import (
    ByPixels,
    Parity,
    ask,
    compare_arrays,
    compare_files,
    fitted,
    judge_lossy,
    name_step,
)
from podium.serving.export.source import Source
from podium.serving.export.table import Row
from podium.serving.export.target import Door, File, Heads, MissingError, Runner, Runtime, Target, UnfitError
from podium.serving.export.timing import time_runner
from podium.serving.golden import ARTIFACTS
from podium.serving.predictor import Predictor
from podium.tracking.classifier import Classifier
from podium.tracking.logged_model import MODEL

logger = logging.getLogger(__name__)

MAX_ARRAYS = 1000
"""Images of the dataset that are compared."""


@dataclass(frozen=True)
class Material:
    """What runtimes are asked about, and what Keras says of it.

    Attributes:
        files: golden files.
        arrays: (n, height, width, channels) uint8, of the dataset, or n = 0.
        expected: what Keras says of the arrays.
        split: where they come from; empty if there are none.
        reference: what answers about the files.
    """

    files: list[GoldenFile]
    arrays: NDArray[np.uint8]
    expected: Heads
    split: str
    reference: Classifier

    def describe(self) -> str:
        """Say what that is, for people."""
        files = f"{len(self.files)} golden files"
        return f"{files} and {len(self.arrays):,} images of {self.split}" if self.split else files


def gather_material(root: Path, predictor: Predictor) -> Material:
    """Make the golden files, and take images of the dataset's validation split if they are here.

    Args:
        root: the project's root.
        predictor: the version: the reference.
    """
    reference = predictor.classifier
    split, arrays = _open_arrays(root, predictor)
    files = make_golden_files(predictor.found.folder.resolve())
    expected = ask(predictor.model, arrays) if len(arrays) else {}
    return Material(files, arrays, expected, split, reference)


def _open_arrays(root: Path, predictor: Predictor) -> tuple[str, NDArray[np.uint8]]:
    found, shape = predictor.found, predictor.size.shape
    processed = root / DatasetPaths(found.facts.dataset or found.name).processed
    for split in ("validation", "test"):
        if (processed / split).is_dir():
            images = open_split(processed / split).images
            if images.shape[1:] == shape and len(images):
                rows = np.unique(np.linspace(0, len(images) - 1, min(MAX_ARRAYS, len(images))).astype(np.int64))
                return f"{processed.name}'s {split} split", np.asarray(images[rows])
    return "", np.zeros((0, *shape), np.uint8)


def examine(
    source: Source, material: Material, targets: Mapping[str, Target], folder: Path, *, may_skip: bool
) -> Iterator[Row]:
    """Write a version in some targets, and compare every runtime with Keras.

    Args:
        source: the version.
        material: what they are asked about.
        targets: by their names.
        folder: an empty one; of each target that can be had, its folder is made there.
        may_skip: a form that this model cannot have is told as a row; else it is an error.

    Yields:
        The rows, as they are known; the first is Keras itself.

    Raises:
        PodiumError: see `may_skip`.
    """
    yield _reference_row(source, material)
    for name, target in targets.items():
        place = folder / name
        place.mkdir()
        try:
            rows = [*_examine_target(source, material, name, target, place)]
        except UnfitError as error:
            remove(place)
            if not may_skip:
                raise PodiumError(f"{source.predictor.found.title} cannot be exported as {name}: {error}.") from None
            yield Row(name, "", "–", table.UNFIT, str(error))
        else:
            write_about(source.predictor, name, target, place)
            yield from rows


def _examine_target(source: Source, material: Material, name: str, target: Target, place: Path) -> Iterator[Row]:
    for file in target.files:
        yield from _examine_file(source, material, name, file, place)
    if target.finish:
        try:
            target.finish(source, place)
        except PodiumError as error:
            raise UnfitError(str(error).removesuffix(".")) from error
    if target.door:
        yield _examine_door(material, name, target, place)
    elif not target.files:
        yield Row(name, "", "–", table.WRITTEN, "", _size(place))


def _reference_row(source: Source, material: Material) -> Row:
    found = source.predictor.found
    count = len(material.files) + len(material.arrays)
    times = _time(source.predictor.model, material)
    size = (found.folder / ARTIFACTS / MODEL).stat().st_size
    return Row("", MODEL, "Keras, predict", table.REFERENCE, "", size, *times, images=count)


def _time(runner: Runner, material: Material) -> tuple[float, float, float]:
    return time_runner(runner, fitted(material.reference, material.files[0]))


def _examine_file(source: Source, material: Material, name: str, file: File, place: Path) -> Iterator[Row]:
    before = _size(place)
    logger.info("… %s/%s is written", name, file.name)
    _write(source, file, place / file.name)
    size, keep = _size(place) - before, True
    for runtime in file.runtimes:
        logger.info("… %s answers", runtime.title)
        row = _examine_runtime(source, material, name, file, runtime, place / file.name, size)
        keep = keep and row.verdict != table.LEFT_OUT
        yield row
    if not keep:
        remove(place / file.name)


def _write(source: Source, file: File, path: Path) -> None:
    try:
        with hushed():
            file.write(source.convertible, path)
    except (UnfitError, PodiumError, OSError):
        raise
    except Exception as error:
        first = (str(error).strip() or repr(error)).splitlines()[0][:300]
        with hushed():
            layer = find_failing(source.convertible.trained, file)
        raise UnfitError(f"{layer} cannot be converted to {path.name}: {first}") from error


def _examine_runtime(
    source: Source, material: Material, name: str, file: File, runtime: Runtime, path: Path, size: int
) -> Row:
    """Open a runtime, compare and time it."""
    try:
        with hushed():
            with runtime.open(path) as runner:
                parity, step = _compare(source, material, file, runtime, runner)
                times = _time(runner, material)
            if step == "model":
                step = find_diverging(source.convertible.trained, file, runtime, _pixels(material, parity))
    except MissingError as reason:
        return Row(name, file.name, runtime.title, table.SKIPPED, str(reason), size)
    except (PodiumError, OSError):
        raise
    except Exception as error:
        first = (str(error).strip() or repr(error)).splitlines()[0][:300]
        raise UnfitError(f"{runtime.title} does not run {path.name}: {first}") from error
    verdict = table.AGREES if file.is_lossy else table.SAME
    note = "lossy" if file.is_lossy else ""
    if parity.fault:
        verdict = table.LEFT_OUT if file.is_lossy else table.DIFFERS
        note = parity.fault if file.is_lossy else f"first at {step}: {parity.fault}"
    known = (parity.greatest, parity.agreement, parity.images)
    return Row(name, file.name, runtime.title, verdict, note, size, *times, *known)


def _compare(source: Source, material: Material, file: File, runtime: Runtime, runner: Runner) -> tuple[Parity, str]:
    """Give the parity, and where it first fails: empty if it does not."""
    door = ByPixels(runner, material.reference)
    parity = compare_files(material.reference, door, material.files, is_lossy=file.is_lossy)
    if len(material.arrays) and not runtime.is_slow:
        parity = parity.beside(compare_arrays(material.expected, runner, material.arrays, is_lossy=file.is_lossy))
    if file.is_lossy:
        return judge_lossy(parity), ""
    return parity, "model" if parity.fault else ""


def _pixels(material: Material, parity: Parity) -> NDArray[np.uint8]:
    """Give the image about which they differ most."""
    known = {file.name: file for file in material.files}
    if parity.worst in known:
        return fitted(material.reference, known[parity.worst])
    return material.arrays[parity.row : parity.row + 1]


def _examine_door(material: Material, name: str, target: Target, place: Path) -> Row:
    assert target.door is not None  # noqa: S101 - for mypy: the caller asked
    try:
        with target.door(place) as door:
            return replace(examine_door(material, name, target.door_title, door), bytes=_size(place))
    except MissingError as reason:
        return Row(name, "", target.door_title, table.SKIPPED, str(reason), _size(place))


def examine_door(material: Material, name: str, title: str, door: Door) -> Row:
    """Compare a way by which whole files are answered about."""
    logger.info("… %s answers", title)
    parity = compare_files(material.reference, door, material.files)
    verdict, note = table.SAME, ""
    if parity.fault:
        step = name_step(material.reference, door, material.files[parity.row])
        verdict, note = table.DIFFERS, f"first at {step}: {parity.fault}"
    return Row(
        name, "", title, verdict, note, greatest=parity.greatest, agreement=parity.agreement, images=parity.images
    )


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
