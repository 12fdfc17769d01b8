"""What the formats share that find image files in an archive."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import translate
from typing import Final

from podium.config.datasets import Part
from podium.datasets.archive import NESTED, Archive, DamagedFile
from podium.datasets.formats.example import Box, Example
from podium.errors import PodiumError
from podium.images.kinds import HEAD_BYTES, READABLE, SUFFIXES, sniff

EXTENSIONS = frozenset(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
"""In any case."""

_OTHERS = {
    *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".md", ".html", ".htm", ".pdf"),
    *(".css", ".js", ".py", ".ipynb", ".r", ".m", ".sh", ".cfg", ".ini", ".log", ".doc", ".docx", ".xls"),
    *(".xlsx", ".ods", ".db", ".mat", ".h5", ".hdf5", ".pkl", ".pickle", ".npy", ".npz", ".tfrecord", ".tfrec"),
    *(".record", ".parquet", ".arrow", ".feather", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"),
    *(".mp4", ".avi", ".mov", ".mkv", ".wav", ".mp3", ".pt", ".pth", ".onnx", ".tflite", ".pb", ".keras"),
    *(".lic", ".cls", ".names", ".idx"),
}
"""Endings of files that are no images; what others hold, their first bytes tell."""

MAX_BYTES = 1 << 28
"""256 MiB: an image file that is larger is no photograph, and is not read into memory."""

UNLABELLED: Final = "unlabelled"

_JUNK = re.compile(r"(^|/)(\.|__MACOSX/|@eaDir/|thumbs\.db$|desktop\.ini$|\$RECYCLE\.BIN/)", re.IGNORECASE)


def is_junk(name: str) -> bool:
    """Tell what systems and tools leave beside a dataset: hidden files and folders, `__MACOSX`, `Thumbs.db`."""
    return _JUNK.search(name) is not None


def find_images(
    archive: Archive, folders: Mapping[Part, str | list[str]], exclude: Iterable[str] = ()
) -> Iterator[tuple[Part, str, str]]:
    """Find the image files of each part's folders, in the archive's own order.

    Args:
        archive: open.
        folders: of each part; `*` as one name in a path stands for any.
        exclude: patterns of paths that are passed over; `*` stands for any text.

    Yields:
        The part, the path within the part's folder, from the name that `*` stands for on, and the path in the archive.

    Raises:
        PodiumError: a folder is not there, or holds no image.
    """
    passed_over = matcher(exclude)
    for part, places in folders.items():
        for folder in [places] if isinstance(places, str) else places:
            count = 0
            for inside, name in _inside(archive, folder):
                if is_image(name, archive) and not passed_over(name):
                    yield part, inside, name
                    count += 1
            if not count:
                raise PodiumError(
                    f"The folder '{folder}' of the archive of {archive.name} holds no image file. Expected names that "
                    f"end in one of {', '.join(sorted(EXTENSIONS))}, or files whose first bytes are an image's. "
                    f"Correct datasets.{archive.name}.format in params.yaml."
                )


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Give what tells whether a path matches one of some patterns; none matches nothing."""
    compiled = re.compile("|".join(translate(pattern) for pattern in patterns) or r"(?!)")
    return lambda name: compiled.match(name) is not None


def _inside(archive: Archive, folder: str) -> Iterator[tuple[str, str]]:
    """Give the files of a folder: the path within it, and the whole."""
    if "*" not in folder.split("/") or _is_there(archive, folder):
        prefix = "" if folder == "." else folder.removeprefix("./").rstrip("/") + "/"
        for name in archive.files(folder):
            yield name.removeprefix(prefix), name
        return
    before, _, after = folder.removeprefix("./").rstrip("/").partition("*")
    before, after = before.rstrip("/"), after.lstrip("/")
    skipped = len(before) + 1 if before else 0
    for name in archive.files(before or "."):
        label, _, rest = name[skipped:].partition("/")
        if rest.startswith(f"{after}/") if after else rest:
            yield f"{label}/{rest.removeprefix(f'{after}/') if after else rest}", name


def _is_there(archive: Archive, folder: str) -> bool:
    try:
        return bool(archive.files(folder))
    except PodiumError:
        return False


def has_image_name(name: str) -> bool:
    """Say whether a name ends as image files do."""
    return _ending(name) in EXTENSIONS


def is_image(name: str, archive: Archive) -> bool:
    """Tell an image file by its name, or, where that says nothing, by its first bytes."""
    return looks_like_image(name, archive) and not is_junk(name)


def looks_like_image(name: str, archive: Archive) -> bool:
    """Say the same of a file that is no junk."""
    ending = _ending(name)
    return ending in EXTENSIONS or (ending not in _OTHERS and kind_of(name, archive) in READABLE)


def _ending(name: str) -> str:
    base = name.rpartition("/")[2]
    return base[base.rfind(".") :].lower() if "." in base else ""


def stem_of(name: str) -> str:
    """Give a path's last name without its ending.

    Example:
        >>> stem_of("cats/cat.1.jpg"), stem_of("cats/cat")
        ('cat.1', 'cat')
    """
    base = name.rpartition("/")[2]
    return base.rpartition(".")[0] or base


def list_files(archive: Archive, notes: list[str]) -> list[str]:
    """List all files, those of archives inside too, which stand for these.

    Args:
        archive: open.
        notes: grows by a sentence for each archive inside that cannot be read: that is a file itself.
    """
    names = []
    for name in archive.files():
        if not name.lower().endswith(NESTED) or is_junk(name):
            names.append(name)
            continue
        try:
            names += archive.files(name, nested=True)
        except PodiumError as error:
            names.append(name)
            notes.append(f"'{name}' is passed over: {error}")
    return names


def kind_of(name: str, archive: Archive) -> str:
    """Say what a file is by its first bytes; empty if that is unknown."""
    try:
        with archive.open(name) as file:
            return sniff(file.read(HEAD_BYTES))
    except DamagedFile:
        return ""


def load(archive: Archive, name: str, part: str, label: str, box: Box | None = None) -> Example:
    """Read an image file, not decoded; a file that cannot be read becomes an example with a fault."""
    if archive.size(name) > MAX_BYTES:
        return Example(name, part, label, None, f"the file has {archive.size(name):,} bytes, over {MAX_BYTES:,}")
    try:
        return Example(name, part, label, archive.read(name), box=box)
    except DamagedFile:
        return Example(name, part, label, None, "the file is damaged in the archive")
