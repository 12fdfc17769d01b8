"""A zip, a tar, a 7z or a folder on this disk, laid out as Kaggle delivers it."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from podium.config.datasets import ArchiveSource
from podium.datasets.archive import (
    ARCHIVE,
    START_BYTES,
    TARS,
    check_zip,
    explain,
    is_tar,
    kind_of,
    pack_files,
    pack_folder,
)
from podium.errors import PodiumError
from podium.files import file_digest
from podium.paths import DOWNLOADS

logger = logging.getLogger(__name__)


def fetch(source: ArchiveSource, folder: Path, _downloads: Path) -> str:
    """Copy the archive to `folder`; a folder of files, a tar or a 7z is packed into one. See `sources.fetch`."""
    path = Path(source.path).expanduser()
    target = folder / ARCHIVE
    if path.is_dir():
        packed = pack_folder(path, target)
        for note in packed.notes:
            logger.warning("%s: %s", path, note)
        count = packed.files
        if not count:
            raise PodiumError(
                " ".join(
                    [f"The folder {path} holds no files. Expected the dataset as Kaggle delivers it.", *packed.notes]
                )
            )
    elif path.is_file() and path.name.lower().endswith((*TARS, ".7z")):
        _ensure_kind(path)
        pack_files([(path.name, path)], target)
        count = 1
    elif path.is_file():
        count = check_zip(path)
        shutil.copyfile(path, target)
    else:
        raise PodiumError(
            f"There is no archive at {path.absolute()}. Download the dataset by hand and put its zip there, or "
            "name another place in params.yaml, at source.path."
        )
    digest = file_digest(target)
    if source.sha256 not in (None, digest):
        raise PodiumError(
            f"{path} is not the archive that params.yaml asks for: its sha256 is {digest}, expected "
            f"{source.sha256}. Download it again, or take the new digest over if the new archive is right."
        )
    return f"{path} ({count} files, {target.stat().st_size:,} bytes, sha256 {digest[:12]}…)"


def look(source: ArchiveSource, known: Mapping[str, Any], root: Path, _downloads: Path) -> str:
    """Hold the archive on this disk against what arrived from it. See `sources.look`.

    A zip is read, a second or two per gigabyte; a folder, a tar or a 7z is packed once more to be compared.
    """
    path = root / Path(source.path).expanduser()
    if source.sha256 is not None:
        return ""  # the page asks for this one and no other
    if path.is_file() and not path.name.lower().endswith((*TARS, ".7z")):
        size = path.stat().st_size
        if size == known["bytes"] and file_digest(path) == known["sha256"]:
            return ""
    else:
        downloads = root / DOWNLOADS
        downloads.mkdir(parents=True, exist_ok=True)  # on a disk with room for it
        with TemporaryDirectory(dir=downloads, prefix=".look-") as place:
            fetch(replace(source, path=str(path)), Path(place), downloads)
            size = (Path(place) / ARCHIVE).stat().st_size
            if file_digest(Path(place) / ARCHIVE) == known["sha256"]:
                return ""
    return f"{path} is another archive now: {size:,} bytes, {known['bytes']:,} before."


def _ensure_kind(path: Path) -> None:
    """Make sure that a tar or a 7z is what its name says."""
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    kind = kind_of(start)
    if path.name.lower().endswith(".7z"):
        right, expected = kind == "7z", "7z"
    else:
        right, expected = is_tar(kind), "tar"
    if not right:
        what, hint = explain(start, path.stat().st_size, path.name)
        raise PodiumError(f"{path} ({path.stat().st_size:,} bytes) is no {expected} archive. {what}", hint=hint)
