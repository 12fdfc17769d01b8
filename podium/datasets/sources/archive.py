"""A zip, a tar, a 7z or a folder on this disk, laid out as Kaggle delivers it."""

import logging
import shutil
from pathlib import Path

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
