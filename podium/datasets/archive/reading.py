"""The archive in a raw folder, its files one by one, and the archives inside it as folders."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Self

from podium.datasets.archive.packing import tar_to_zip
from podium.datasets.archive.zips import DAMAGE, HARMLESS_BYTES, MAX_RATIO, CheckedZip, Slice, clean
from podium.errors import PodiumError, nearest

ARCHIVE = "archive.zip"
"""The name that a dataset's archive has in its raw folder, whatever it was called where it came from."""
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
NESTED = (".zip", *TARS)

_DEPTH = 3


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
        whole = self._open.enter_context(CheckedZip(raw / ARCHIVE, f"the archive of {raw.name}"))
        self._zips = {"": whole}
        """The open archives, each by its path with a slash after it."""
        self._places: dict[str, str] = {}
        """Of each folder that was asked for, the archive that it lies in."""

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
        wanted = clean(folder)
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
        """Give the size of a file in bytes, unpacked.

        Raises:
            PodiumError: there is no such file.
        """
        archive, place = self._find(name)
        return archive.files[place].file_size

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
        archive, place = self._find(name)
        try:
            with archive.open(archive.files[place]) as file:
                yield file
        except DAMAGE as error:
            raise DamagedFile(
                f"'{name}' in the archive of {self.name} cannot be read ({error}). Download the archive again."
            ) from None

    @contextmanager
    def copy(self, name: str) -> Iterator[Path]:
        """Give a file as one of its own on the disk, gone afterwards, for a library that wants a path."""
        with tempfile.NamedTemporaryFile(dir=self._scratch) as copy:
            with self.open(name) as file:
                shutil.copyfileobj(file, copy, 1 << 20)
            copy.flush()
            yield Path(copy.name)

    def _find(self, name: str) -> tuple[CheckedZip, str]:
        """Give the innermost archive that a file is in, and the file's path within it."""
        prefix, place = self._enter(name)
        archive = self._zips[prefix]
        if place not in archive.files:
            raise PodiumError(
                f"The archive of {self.name} has no file '{name}'. {nearest(name, [*archive.files][:20])} "
                f"Correct datasets.{self.name}.format in params.yaml."
            )
        return archive, place

    def _enter(self, name: str) -> tuple[str, str]:
        """Split a path into the innermost archive on its way, which is opened, and the path within that one."""
        folder = name.rpartition("/")[0]
        if folder not in self._places:
            prefix, parts = "", folder.split("/")
            for end in range(1, len(parts) + 1):
                archive = "/".join(parts[:end])
                inner = archive.removeprefix(prefix)
                if _is_archive(inner) and inner in self._zips[prefix].files:
                    if f"{archive}/" not in self._zips:
                        self._open_inner(prefix, inner)
                    prefix = f"{archive}/"
            self._places[folder] = prefix
        prefix = self._places[folder]
        return prefix, name.removeprefix(prefix)

    def _open_inner(self, prefix: str, inner: str) -> None:
        """Open an archive inside one: in place if it is a zip that is not packed again, else unpacked."""
        name, outer = f"{prefix}{inner}", self._zips[prefix]
        if sum(prefix.startswith(known) for known in self._zips) > _DEPTH:
            raise PodiumError(f"'{name}' in the archive of {self.name} lies deeper than {_DEPTH} archives.")
        where = f"'{name}' in the archive of {self.name}"
        if inner.lower().endswith(".zip") and (place := outer.find_stored(inner)):
            self._zips[f"{name}/"] = self._open.enter_context(CheckedZip(Slice(*place), where))
            return
        copy = self._open.enter_context(tempfile.TemporaryFile(dir=self._scratch))  # noqa: SIM115 - it closes with the rest
        with self.open(name) as packed:
            if inner.lower().endswith(".zip"):
                shutil.copyfileobj(packed, copy, 1 << 20)
            else:
                tar_to_zip(packed, copy, max(16 * HARMLESS_BYTES, MAX_RATIO * self.size(name)), where)
        self._zips[f"{name}/"] = self._open.enter_context(CheckedZip(copy, where))

    def _archives(self, prefix: str) -> list[str]:
        return [f"{prefix}{name}" for name in self._zips[prefix].files if _is_archive(name)]


def _is_archive(name: str) -> bool:
    return name.lower().endswith(NESTED)
