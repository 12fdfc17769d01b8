"""`podium export`: a version in other forms, whole or not at all."""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from filelock import FileLock, Timeout

from podium.errors import PodiumError, TransientError
from podium.files import atomic_write, file_digest
from podium.images.parallel import count_processors
from podium.models.machine import name_machine
from podium.serving.export import table
from podium.serving.export.about import ABOUT
from podium.serving.export.doors import Pyfunc, open_rest
from podium.serving.export.examining import Material, examine, examine_door, gather_material
from podium.serving.export.source import Convertible, Source
from podium.serving.export.table import MARK, STEM, Report, Row, save_report
from podium.serving.export.target import Target
from podium.serving.export.targets import TARGETS
from podium.serving.finding import find_model
from podium.serving.golden import ARTIFACTS
from podium.serving.predictor import Predictor
from podium.tracking.logged_model import MODEL

FOLDER = Path("exports")
"""Where exports go if nobody says otherwise; not in git."""


def export(
    root: Path, reference: str, targets: Mapping[str, Target], out: Path | None, command: str, *, may_skip: bool
) -> tuple[Report, Path]:
    """Write a version in some targets, if every runtime says what Keras says.

    Args:
        root: the project's root.
        reference: the version, as `podium.serving.finding.find_model` takes it.
        targets: by their names.
        out: the folder; by default `exports/NAME-VERSION`. An export of the same version keeps its other targets.
        command: that was typed, for the table.
        may_skip: leave out a target that this model cannot have; else it is an error.

    Returns:
        The table, and the folder.

    Raises:
        PodiumError: there is no such version, it cannot have such a form, a runtime says something else, the folder is
            no export or has no room. Nothing is left of it then; what was there stays.
    """
    predictor = Predictor.load(find_model(root, reference))
    place = root / FOLDER / predictor.found.title.replace("/", "-") if out is None else out
    _require_ours(place)
    digest = file_digest(predictor.found.folder / ARTIFACTS / MODEL)
    with (
        _told(place),
        _alone(place),
        atomic_write(place) as part,
        TemporaryDirectory(prefix="podium-export-") as scratch,
    ):
        part.mkdir()
        source = Source(predictor, Convertible(predictor.model, Path(scratch)))
        material = gather_material(root, predictor)
        rows = []
        for row in examine(source, material, targets, part, may_skip=may_skip):
            if row.verdict == table.DIFFERS:
                raise PodiumError(
                    f"{predictor.found.title} is not exported: {row.runtime} does not answer as Keras does with "
                    f"{row.target}/{row.file}. {row.note[:1].upper()}{row.note[1:]}. "
                    f"`podium export {reference} --check` shows every runtime."
                )
            rows.append(row)
        rows += _keep_others(place, part, digest, targets)
        report = _report(predictor, material, digest, command, rows)
        save_report(report, part)
    return report, place


def check(
    root: Path, reference: str, targets: Mapping[str, Target], out: Path | None, command: str, *, rest: bool
) -> Report:
    """Ask every runtime, and leave no export.

    Args:
        root: the project's root.
        reference: the version.
        targets: whose runtimes are asked.
        out: a folder for the table alone; None for none.
        command: that was typed, for the table.
        rest: start `mlflow models serve` as well.
    """
    predictor = Predictor.load(find_model(root, reference), check=False)
    if out is not None:
        _require_ours(out)
    digest = file_digest(predictor.found.folder / ARTIFACTS / MODEL)
    with TemporaryDirectory(prefix="podium-export-") as scratch:
        forms, way = Path(scratch) / "forms", Path(scratch) / "way"
        forms.mkdir()
        way.mkdir()
        source, material = Source(predictor, Convertible(predictor.model, way)), gather_material(root, predictor)
        rows = [*examine(source, material, targets, forms, may_skip=True)]
    folder = predictor.found.folder.resolve()
    doors = [examine_door(material, "", "MLflow, pyfunc", Pyfunc(folder))]
    if rest:
        with open_rest(folder) as door:
            doors.append(examine_door(material, "", "MLflow, REST", door))
    report = _report(predictor, material, digest, command, [*rows[:1], *doors, *rows[1:]])
    if out is not None:
        with _told(out), _alone(out), atomic_write(out) as part:
            part.mkdir()
            save_report(report, part)
    return report


def _report(predictor: Predictor, material: Material, digest: str, command: str, rows: list[Row]) -> Report:
    return Report(
        predictor.found.title, digest, material.describe(), count_processors(), name_machine(), command, tuple(rows)
    )


def _require_ours(place: Path) -> None:
    """Refuse a folder that holds something else than an export.

    Raises:
        PodiumError: it does.
    """
    if place.is_dir() and (not any(place.iterdir()) or _read(place) is not None):
        return
    if place.exists() or place.is_symlink():
        raise PodiumError(
            f"{place} is there and is no export of podium's ({STEM}.json says nothing of one): it stays as it is. Name "
            "another folder with --out, or remove it yourself."
        )


def _read(place: Path) -> dict[str, Any] | None:
    """Read the table that lies in an export; None if it is none."""
    try:
        known = json.loads((place / f"{STEM}.json").read_text(encoding="utf-8"))
        return dict(known) if known["made by"] == MARK else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep_others(place: Path, part: Path, digest: str, targets: Mapping[str, Target]) -> list[Row]:
    """Take over what an earlier export of the same version has of other targets; give its rows."""
    known = _read(place) if place.is_dir() else None
    if known is None or known["sha256"] != digest:
        return []
    kept = [name for name in TARGETS if name not in targets and (place / name / ABOUT).is_file()]
    for name in kept:
        shutil.copytree(place / name, part / name)
    return [Row(**row) for row in known["rows"] if row["target"] in kept]


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Keep a second export out of the same folder."""
    place.parent.mkdir(parents=True, exist_ok=True)
    path = place.with_name(f".{place.name}.lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TransientError(f"Another `podium export` writes {place}. Wait until it ends.") from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _told(place: Path) -> Iterator[None]:
    """Say in one sentence why files cannot be written."""
    try:
        yield
    except OSError as error:
        # Where several files of a folder cannot be copied, Python lists all of them: the first one's reason is enough.
        reason = str(error.args[0][0][2]) if isinstance(error, shutil.Error) else error.strerror or str(error)
        is_full = error.errno == errno.ENOSPC or os.strerror(errno.ENOSPC) in reason
        advice = " Make room, or name another disk with --out." if is_full else ""
        raise PodiumError(f"The export to {place} failed, and nothing of it is left: {reason}.{advice}") from error
