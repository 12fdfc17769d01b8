"""The archive that a dataset arrived in: one zip, kept as it came, read file by file and never spread on the disk.

Archives inside it (`train.zip`, `images.tar.gz`) are read as if they were folders: `train.zip/train/cat.0.jpg`.
Whoever made it is a stranger, so all that its table of contents says is checked before anything is read.
"""

import logging
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Self

from podium.errors import PodiumError, nearest

logger = logging.getLogger(__name__)

ARCHIVE = "archive.zip"
"""The name that a dataset's archive has in its raw folder, whatever it was called where it came from."""

MAX_FILES = 5_000_000
MAX_BYTES = 1 << 40
"""What an archive may hold when unpacked: 1 TiB."""
MAX_RATIO = 200
"""How many times its packed size a file may have once it is unpacked, if it is larger than `SMALL`."""
SMALL = 1 << 26
"""64 MiB: so much is harmless whatever its ratio."""

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
NESTED = (".zip", *TARS)

_DEPTH = 3
_EPOCH = (1980, 1, 1, 0, 0, 0)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OverflowError)
"""What zipfile raises for bytes that are not what the table of contents says, or are packed in an unknown way."""


class DamagedFile(PodiumError):  # noqa: N818 - it names what was found
    """One file of the archive cannot be read; the others may be fine."""


class Archive:
    """An open archive. Close it, or use it as a context manager."""

    def __init__(self, raw: Path) -> None:
        """Open the archive in a raw folder.

        Raises:
            PodiumError: it is no zip, or is not safe to read; the message says why.
        """
        self.name = raw.name
        self._scratch = raw.parent  # for archives inside it, which become files without a name
        self._open = ExitStack()
        self._zips: dict[str, _Zip] = {"": self._open.enter_context(_Zip(raw / ARCHIVE, f"the archive of {raw.name}"))}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it; archives inside it that were unpacked vanish."""
        self._open.close()

    def files(self, folder: str = ".", *, nested: bool = False) -> list[str]:
        """List the files in a folder and below, in the archive's own order.

        Args:
            folder: its path; `.` is the whole archive. `train.zip/train` is a folder of a zip in it.
            nested: also list what is in the archives that lie there.

        Raises:
            PodiumError: there is no such folder.
        """
        wanted = _clean(folder)
        prefix, place = self._enter(f"{wanted}/" if wanted else "")
        names = [f"{prefix}{name}" for name in self._zips[prefix].files if name.startswith(place)]
        if place and not names:
            folders = {str(PurePosixPath(name).parent) for name in self._zips[prefix].files} - {"."}
            known = [f"{prefix}{name}" for name in sorted(folders)] + self._archives(prefix)
            raise PodiumError(
                f"The archive of {self.name} has no folder '{folder}'. {nearest(folder, known[:20])} "
                f"Correct datasets.{self.name}.format in params.yaml."
            )
        if nested:
            for name in [name for name in names if _is_archive(name)]:
                names.remove(name)
                names += self.files(name, nested=True)
        return names

    def size(self, name: str) -> int:
        """Give the size of a file in bytes, unpacked."""
        prefix, place = self._enter(name)
        return self._zips[prefix].files[place].file_size

    def read(self, name: str) -> bytes:
        """Read a file whole.

        Raises:
            DamagedFile: its bytes are damaged (their checksum is wrong).
            PodiumError: there is no such file.
        """
        with self.open(name) as file:
            return file.read()

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading from its start to its end; raises as `read` does."""
        prefix, place = self._enter(name)
        archive = self._zips[prefix]
        if place not in archive.files:
            raise PodiumError(
                f"The archive of {self.name} has no file '{name}'. {nearest(name, [*archive.files][:20])} "
                f"Correct datasets.{self.name}.format in params.yaml."
            )
        try:
            with archive.open(archive.files[place]) as file:
                yield file
        except _DAMAGE as error:
            raise DamagedFile(
                f"'{name}' in the archive of {self.name} cannot be read ({error}). Download the archive again."
            ) from None

    def _enter(self, name: str) -> tuple[str, str]:
        """Split a path into the innermost archive on its way, which is opened, and the path within that one."""
        prefix, place = "", name
        parts = name.split("/")
        for end in range(1, len(parts)):
            archive = "/".join(parts[:end])
            inner = archive.removeprefix(prefix)
            if _is_archive(inner) and inner in self._zips[prefix].files:
                if f"{archive}/" not in self._zips:
                    self._unpack(prefix, inner)
                prefix = f"{archive}/"
                place = name.removeprefix(prefix)
        return prefix, place

    def _unpack(self, prefix: str, inner: str) -> None:
        name = f"{prefix}{inner}"
        if sum(prefix.startswith(known) for known in self._zips) > _DEPTH:
            raise PodiumError(f"'{name}' in the archive of {self.name} lies deeper than {_DEPTH} archives.")
        copy = self._open.enter_context(tempfile.TemporaryFile(dir=self._scratch))  # noqa: SIM115 - it closes with the rest
        where = f"'{name}' in the archive of {self.name}"
        with self.open(name) as packed:
            if inner.lower().endswith(".zip"):
                shutil.copyfileobj(packed, copy, 1 << 20)
            else:
                _tar_to_zip(packed, copy, max(16 * SMALL, MAX_RATIO * self.size(name)), where)
        self._zips[f"{name}/"] = self._open.enter_context(_Zip(copy, where))

    def _archives(self, prefix: str) -> list[str]:
        return [f"{prefix}{name}" for name in self._zips[prefix].files if _is_archive(name)]


class _Zip(zipfile.ZipFile):
    """A zip whose table of contents was checked."""

    def __init__(self, file: Path | IO[bytes], where: str) -> None:
        try:
            super().__init__(file)
        except (*_DAMAGE, ValueError) as error:
            raise PodiumError(f"{where} is not a zip archive ({error}). Download it again.") from None
        try:
            self.files = _check(self.infolist(), where)
        except BaseException:
            self.close()
            raise


def check_zip(path: Path) -> int:
    """Make sure that a file is a zip that is safe to read; log what is odd about it.

    Returns:
        How many files it has.

    Raises:
        PodiumError: it is empty, cut short, something else under the name of a zip, or tries to do harm.
    """
    try:
        with _Zip(path, str(path)) as archive:
            for info in archive.files.values():
                if _ratio(info) > MAX_RATIO:
                    logger.warning(
                        "%s: '%s' is %s bytes packed into %s", path, info.filename, info.file_size, info.compress_size
                    )
            return len(archive.files)
    except PodiumError as error:
        if " is not a zip archive" not in str(error):
            raise
        with path.open("rb") as file:
            start = file.read(512).lstrip().lower()
        web_page = start.startswith((b"<!doctype", b"<html"))
        guess = "It is a web page: the download needed a login." if web_page else "It may have been cut short."
        raise PodiumError(
            f"{path} ({path.stat().st_size:,} bytes) is not a zip archive. {guess} Download it again."
        ) from None


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


def _tar_to_zip(packed: IO[bytes], target: IO[bytes], budget: int, where: str) -> None:
    """Copy a tar archive's files, read once from start to end, into a zip, where they are found at once."""
    try:
        with tarfile.open(fileobj=packed, mode="r|*") as tar, zipfile.ZipFile(target, "w") as archive:
            for member in tar:
                if not (member.isfile() or member.isdir()):
                    raise PodiumError(f"{where}: '{member.name}' is a link or a device. {_UNSAFE}")
                budget -= member.size
                if budget < 0:
                    raise PodiumError(f"{where} grows beyond all measure when it is unpacked. {_UNSAFE}")
                if member.isfile() and (source := tar.extractfile(member)):
                    _store(archive, member.name, source)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno:  # the disk's, not the archive's
            raise
        raise PodiumError(f"{where} cannot be read ({error}). Download the archive again.") from None


_UNSAFE = "Such an archive is not opened; ask whoever published it."


def _check(infos: list[zipfile.ZipInfo], where: str) -> dict[str, zipfile.ZipInfo]:
    """Look through a table of contents; give the files by their clean names."""
    if len(infos) > MAX_FILES:
        raise PodiumError(f"{where} has {len(infos):,} files, more than {MAX_FILES:,}. {_UNSAFE}")
    files: dict[str, zipfile.ZipInfo] = {}
    unpacked = packed = 0
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise PodiumError(f"{where}: '{info.filename}' is a link or a device. {_UNSAFE}")
        name = _clean(info.filename)
        if _leads_out(name):
            raise PodiumError(f"{where}: '{info.filename}' leads out of its folder. {_UNSAFE}")
        if info.is_dir():
            continue
        if info.flag_bits & 1:
            raise PodiumError(f"{where}: '{info.filename}' is encrypted. Unpack it yourself and name the folder.")
        if name in files:
            raise PodiumError(f"{where} has two files named '{name}'. {_UNSAFE}")
        if info.file_size > SMALL and _ratio(info) > MAX_RATIO:
            raise PodiumError(f"{where}: '{info.filename}' grows {_ratio(info):.0f} times when unpacked. {_UNSAFE}")
        unpacked, packed = unpacked + info.file_size, packed + info.compress_size
        files[name] = info
    if unpacked > MAX_BYTES or (unpacked > SMALL * 16 and unpacked > MAX_RATIO * packed):
        raise PodiumError(f"{where} grows from {packed:,} to {unpacked:,} bytes when unpacked. {_UNSAFE}")
    return files


def _clean(name: str) -> str:
    """Write a path in one way: no backslashes, no `./`, no slash at its end."""
    name = name.replace("\\", "/")
    if name.startswith("./") or name == ".":
        name = name[2:]
    return name.rstrip("/") if name != "/" else name


def _leads_out(name: str) -> bool:
    return name.startswith("/") or name[1:2] == ":" or (".." in name and ".." in name.split("/"))


def _ratio(info: zipfile.ZipInfo) -> float:
    return info.file_size / max(info.compress_size, 1)


def _is_archive(name: str) -> bool:
    return name.lower().endswith(NESTED)
