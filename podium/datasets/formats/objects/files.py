"""Annotations in a file of their own for each image: found by its name, read one by one."""

from collections.abc import Callable, Iterable

from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.image_files import find_images, has_image_name
from podium.datasets.formats.objects.pairing import pair, stem
from podium.datasets.formats.objects.part import Absent, Annotated
from podium.datasets.formats.objects.tally import Tally
from podium.errors import PodiumError

MAX_BYTES = 1 << 22
"""4 MiB: a file about one image that is larger is no annotation."""
MAX_LIST_BYTES = 1 << 28
"""256 MiB: a list of a part's images that is larger is none."""


def pair_files(
    archive: Archive,
    images: str,
    annotations: str,
    endings: str,
    parse: Callable[[bytes, str], Tally],
    wanted: str = "",
    but: Iterable[str] = (),
) -> Annotated:
    """Find the image of each annotation file, by its path in its folder without its ending.

    Args:
        archive: open.
        images: the images' folder.
        annotations: the annotations' folder.
        endings: what the annotations' names end in, in lower case.
        parse: understands a file's bytes; it is told the file's name, for messages.
        wanted: the list of the part's images; empty if it is all of the folder.
        but: files that are no annotations.

    Raises:
        PodiumError: there are no images, no annotations, or the list is not there.
    """
    files = {*archive.files(annotations)} - {*but, wanted}
    keys = [name for name in archive.files(annotations) if name in files and name.lower().endswith(endings)]
    if not keys:
        raise PodiumError(
            f"The folder '{annotations}' of the archive of {archive.name} holds no {endings} file. Expected one an "
            f"image. Correct datasets.{archive.name}.format.annotations in params.yaml."
        )
    found = [(stem(path), name) for _, path, name in find_images(archive, {"train": images})]
    absent: list[Absent] = []
    if wanted:
        listed = pair(found, ((entry, entry) for entry in read_list(archive, wanted)))
        found = [(path, name) for path, name in found if name in listed.found]
        fault = f"{wanted} names it, but it is not in the archive"
        absent = [Absent(f"{images}/{entry}", "", fault) for entry in listed.orphans]
    pairs = pair(found, ((key_of(inside(name, annotations)), name) for name in keys))
    if not wanted:
        absent = [Absent(name, name, "it is about an image that is not in the archive") for name in pairs.orphans]
    return Annotated(
        [name for _, name in found], pairs, lambda name: _read(archive, name, parse), wanted or annotations, absent
    )


def key_of(path: str) -> str:
    """Give the path of an image without its ending, by its annotation's: `1.xml` and `1.jpg.xml` are of `1.jpg`."""
    bare = stem(path)
    return stem(bare) if has_image_name(bare) else bare


def read_list(archive: Archive, name: str) -> list[str]:
    """Read a list of images, one name or path a line.

    Returns:
        The paths without an image's ending; what is written twice is there once.

    Raises:
        PodiumError: it is too large.
    """
    if archive.size(name) > MAX_LIST_BYTES:
        raise PodiumError(
            f"'{name}' has {archive.size(name):,} bytes; a list of images has {MAX_LIST_BYTES:,} at most."
        )
    lines = archive.read(name).decode("utf-8-sig", errors="replace").splitlines()
    paths = (line.strip().replace("\\", "/").removeprefix("./") for line in lines if line.strip())
    return [*dict.fromkeys(stem(path) if has_image_name(path) else path for path in paths)]


def inside(name: str, folder: str) -> str:
    """Give a path within a folder."""
    return name if folder == "." else name.removeprefix(folder.removeprefix("./").rstrip("/") + "/")


def _read(archive: Archive, name: str, parse: Callable[[bytes, str], Tally]) -> Tally:
    if archive.size(name) > MAX_BYTES:
        return Tally(fault=f"{name} has {archive.size(name):,} bytes; an annotation has {MAX_BYTES:,} at most")
    try:
        return parse(archive.read(name), name)
    except DamagedFile:
        return Tally(fault=f"{name} is damaged in the archive")
