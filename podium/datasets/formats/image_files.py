"""What the formats share that find image files in an archive."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from podium.config.datasets import Part
from podium.datasets.archive import Archive, DamagedFile
from podium.datasets.formats.example import Box, Example
from podium.errors import PodiumError
from podium.images.kinds import SUFFIXES

EXTENSIONS = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
"""In any case."""

MAX_BYTES = 1 << 28
"""256 MiB: an image file that is larger is no photograph, and is not read into memory."""

UNLABELLED: Final = "unlabelled"


def find_images(archive: Archive, folders: Mapping[Part, str]) -> Iterator[tuple[Part, PurePosixPath, str]]:
    """Find the image files of each part's folder, in the archive's own order.

    Yields:
        The part, the path within the part's folder, and the path in the archive.

    Raises:
        PodiumError: a folder is not there, or holds no image.
    """
    for part, folder in folders.items():
        count = 0
        for name in archive.files(folder):
            if is_image(name):
                inside = name if folder == "." else name.removeprefix(folder.removeprefix("./").rstrip("/") + "/")
                yield part, PurePosixPath(inside), name
                count += 1
        if not count:
            raise PodiumError(
                f"The folder '{folder}' of the archive of {archive.name} holds no image file. Expected names that "
                f"end in one of {', '.join(sorted(EXTENSIONS))}. Correct datasets.{archive.name}.format in params.yaml."
            )


def is_image(name: str) -> bool:
    """Tell an image file by its name; what macOS and Windows leave beside images is none."""
    base = name.rpartition("/")[2]
    ending = base[base.rfind(".") :].lower()
    return ending in EXTENSIONS and not base.startswith("._") and "__MACOSX/" not in name


def load(archive: Archive, name: str, part: str, label: str, box: Box | None = None) -> Example:
    """Read an image file, not decoded; a file that cannot be read becomes an example with a fault."""
    if archive.size(name) > MAX_BYTES:
        return Example(name, part, label, None, f"the file has {archive.size(name):,} bytes, over {MAX_BYTES:,}")
    try:
        return Example(name, part, label, archive.read(name), box=box)
    except DamagedFile:
        return Example(name, part, label, None, "the file is damaged in the archive")
