"""Files put into a zip, stored as they are: a folder's, or those of a tar."""

import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from podium.datasets.archive.zips import UNSAFE
from podium.errors import PodiumError

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack_folder(folder: Path, target: Path) -> int:
    """Store a folder's files in a zip, uncompressed, in the order of their names and without dates.

    So the same files give the same bytes. Symbolic links are passed over: they may lead out of the folder.

    Returns:
        How many files were stored.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    pack_files(files, folder, target)
    return len(files)


def pack_files(files: list[Path], folder: Path, target: Path) -> None:
    """Store files in a zip under their paths relative to a folder. See `pack_folder`."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in files:
            with path.open("rb") as source:
                _store(archive, path.relative_to(folder).as_posix(), source)


def _store(archive: zipfile.ZipFile, name: str, source: IO[bytes]) -> None:
    with archive.open(zipfile.ZipInfo(name, _EPOCH), "w", force_zip64=True) as sink:
        shutil.copyfileobj(source, sink, 1 << 20)


def tar_to_zip(packed: IO[bytes], target: IO[bytes], budget: int, where: str) -> None:
    """Copy a tar archive's files, read once from start to end, into a zip, where they are found at once."""
    try:
        with tarfile.open(fileobj=packed, mode="r|*") as tar, zipfile.ZipFile(target, "w") as archive:
            for member in tar:
                if not (member.isfile() or member.isdir()):
                    raise PodiumError(f"{where}: '{member.name}' is a link or a device. {UNSAFE}")
                budget -= member.size
                if budget < 0:
                    raise PodiumError(f"{where} grows beyond all measure when it is unpacked. {UNSAFE}")
                if member.isfile() and (source := tar.extractfile(member)):
                    _store(archive, member.name, source)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:  # the disk's, not the archive's
            raise
        raise PodiumError(f"{where} cannot be read ({error}). Download the archive again.") from None
