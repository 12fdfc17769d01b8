"""How an archive is laid out, found by its folders, tables and names. One module a kind of format, each has `find`."""

from dataclasses import replace

from podium.datasets.archive import Archive
from podium.datasets.formats import opaque
from podium.datasets.formats.coco import detect as coco
from podium.datasets.formats.csv_index import detect as csv_index
from podium.datasets.formats.digit_struct import detect as digit_struct
from podium.datasets.formats.idx import detect as idx
from podium.datasets.formats.image_files import list_files
from podium.datasets.formats.image_folder import detect as image_folder
from podium.datasets.formats.image_parquet import detect as image_parquet
from podium.datasets.formats.labelled_names import detect as labelled_names
from podium.datasets.formats.pixel_csv import detect as pixel_csv
from podium.datasets.formats.survey.choosing import Survey, choose
from podium.datasets.formats.survey.contents import Contents
from podium.datasets.formats.survey.names import find_class_names
from podium.datasets.formats.voc import detect as voc
from podium.datasets.formats.yolo import detect as yolo

__all__ = ["Survey", "survey", "with_class_names"]

DETECTORS = (
    *(digit_struct, coco, voc, yolo, pixel_csv, idx, image_parquet, opaque),
    *(csv_index, image_folder, labelled_names),
)
"""Of readings that are equally likely, those of an earlier detector come first."""


def survey(archive: Archive, number: int | None = None) -> Survey:
    """Find out how an archive is laid out.

    Args:
        archive: open.
        number: of the reading to take, 1 being the first of those that are told; by default the only likely one.

    Returns:
        The reading, and the others.

    Raises:
        PodiumError: none fits, or several do; the message names them.
    """
    contents = look_into(archive)
    readings = [reading for detector in DETECTORS for reading in detector.find(contents)]
    return choose(contents, readings, number)


def with_class_names(found: Survey, labels: set[str]) -> Survey:
    """Add the names of the classes, if the archive gives them in a file of its own.

    Args:
        found: what was found.
        labels: of the images, as the archive writes them.
    """
    if found.reading.names:
        return found
    names, file = find_class_names(found.contents, labels)
    note = [f"The names of the classes are those of '{file}'."] if names else []
    return replace(found, reading=replace(found.reading, names=names), notes=found.notes + note)


def look_into(archive: Archive) -> Contents:
    """Sort an archive's files, those of archives inside it too; one of these that cannot be read is noted."""
    notes: list[str] = []
    names = list_files(archive, notes)
    return Contents.of(archive, names, [*archive.notes, *notes])
