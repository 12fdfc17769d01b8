"""How an archive is laid out, found by its folders, tables and names. One module a kind of format, each has `find`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath

from podium.datasets.archive import NESTED, Archive
from podium.datasets.formats import opaque
from podium.datasets.formats.csv_index import detect as csv_index
from podium.datasets.formats.digit_struct import detect as digit_struct
from podium.datasets.formats.idx import detect as idx
from podium.datasets.formats.image_folder import detect as image_folder
from podium.datasets.formats.image_parquet import detect as image_parquet
from podium.datasets.formats.labelled_names import detect as labelled_names
from podium.datasets.formats.pixel_csv import detect as pixel_csv
from podium.datasets.formats.survey.contents import Contents, Survey
from podium.errors import PodiumError

__all__ = ["Survey", "survey"]


def survey(archive: Archive) -> Survey:
    """Find out how an archive is laid out; no image is decoded.

    Args:
        archive: open.

    Returns:
        The first format that fits, and what a person should know of it.

    Raises:
        PodiumError: none fits; the message says what was found and what would fit.
    """
    contents = _look_into(archive)
    for found in _found(contents):
        return Survey(found.format, contents.notes + found.notes)
    refusals = [
        doubt
        for find in (pixel_csv.find, idx.find, image_parquet.find, opaque.find)
        for reading in find(contents)
        for doubt in reading.doubts
    ]
    raise PodiumError("\n".join(refusals) or _nothing_fits(contents))


def _found(contents: Contents) -> Iterator[Survey]:
    """Give what fits, the likeliest first."""
    if found := digit_struct.find(contents):
        yield found
    for find in (pixel_csv.find, idx.find, image_parquet.find):
        for reading in find(contents):
            if reading.format:
                yield Survey(reading.format, reading.notes + reading.doubts)
    by_folders = image_folder.find(contents)
    by_table = csv_index.find(contents, alone=not (by_folders and by_folders.sure))
    pair = [found for found in (by_table, by_folders) if found]
    yield from sorted(pair, key=lambda found: not found.sure)  # a column `label` or a folder `train` says more
    if by_names := labelled_names.find(contents):
        yield by_names


def _look_into(archive: Archive) -> Contents:
    """List all files, those of archives inside it too; one of these that cannot be read is noted and passed over."""
    names, notes = [], []
    for name in archive.files():
        path = PurePosixPath(name)
        if path.name.startswith("._") or "__MACOSX" in path.parts:
            continue
        if not name.lower().endswith(NESTED):
            names.append(name)
            continue
        try:
            names += archive.files(name, nested=True)
        except PodiumError as error:
            notes.append(f"'{name}' is passed over: {error}")
    return Contents.of(archive, names, notes)


def _nothing_fits(contents: Contents) -> str:
    endings = Counter(PurePosixPath(name).suffix.lower() or "without ending" for name in contents.files)
    found = ", ".join(f"{count:,} {ending}" for ending, count in endings.most_common(8)) or "no file"
    first = ", ".join(f"'{name}'" for name in (*contents.tree.all_images(), *contents.files)[:4])
    return (
        f"The archive of {contents.archive.name} is laid out in no way that podium knows. Found: {found}"
        f"{f'; for example {first}' if first else ''}. Expected images in one folder a class; or images whose "
        "names begin with their class (cat.0.jpg); or a CSV table with the path and the label of each image; or CSV "
        "tables with a label and a square of pixels in each row; or digitStruct.mat beside images. "
        "docs/your-own-dataset.md draws them all. Lay the files out like one of them and name their folder, or write "
        "params.yaml by hand." + "".join(f"\n{note}" for note in contents.notes)
    )
