"""The archive in a raw folder, its files one by one, and the archives inside it as folders."""

import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Self

from podium.datasets.archive.kinds import START_BYTES, explain, is_part, is_tar, kind_of
from podium.datasets.archive.names import clean
from podium.datasets.archive.slices import Slice
from podium.datasets.archive.tars import tar_to_zip
from podium.datasets.archive.zips import DAMAGE, HARMLESS_BYTES, MAX_RATIO, CheckedZip
from podium.errors import PodiumError, nearest

ARCHIVE = "archive.zip"
"""The name that a dataset's archive has in its raw folder, whatever it was called where it came from."""
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
NESTED = (".zip", ".7z", *TARS, ".rar", ".zip.001", ".7z.001", ".tar.001", ".tar.gz.001", ".rar.001", ".part1.rar")
"""The endings of archives inside one; the last ones are refused by a message that says what to do."""

_DEPTH = 3


class DamagedFile(PodiumError):  # noqa: N818 - it names what was found
    """One file of the archive cannot be read; the others may be fine."""


class Archive:
    """An open archive. Close it, or use it as a context manager."""

    def __init__(self, raw: Path, zipped: Path | None = None) -> None:
        """Open the archive in a raw folder.

        Args:
            raw: the folder, whose name the archive has in messages. What has to be unpacked lies beside it for a while.
            zipped: the archive, if it lies elsewhere.

        Raises:
            PodiumError: it is no zip, or is not safe to read; the message says why.
        """
        self.name = raw.name
        self._scratch = raw.parent  # for archives inside it, which become files without a name
        self._open = ExitStack()
        whole = self._open.enter_context(CheckedZip(zipped or raw / ARCHIVE, f"the archive of {raw.name}"))
        self._zips = {"": whole}
        """The open archives, each by its path with a slash after it."""
        self.notes = [*whole.notes]
        """What a person should know of it, and of the archives inside it as far as they were opened; sentences."""
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
        content = io.BytesIO()
        with self.open(name) as file:
            shutil.copyfileobj(file, content, 1 << 20)  # `file.read()` would unpack a gigabyte that claims to be less
        return content.getvalue()

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading from its start to its end; raises as `read` does."""
        archive, place = self._find(name)
        try:
            with archive.open_file(place) as file:
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
        prefix, place = self._enter(clean(name))
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
        """Open an archive inside one: in place if it is a zip that is not packed again, else unpacked.

        What it is, its first bytes say; its name only if they do not.
        """
        name, outer = f"{prefix}{inner}", self._zips[prefix]
        if sum(prefix.startswith(known) for known in self._zips) > _DEPTH:
            raise PodiumError(f"'{name}' in the archive of {self.name} lies deeper than {_DEPTH} archives.")
        where, own = f"'{name}' in the archive of {self.name}", PurePosixPath(name).name
        with self.open(name) as file:
            start = file.read(START_BYTES)
        size, kind, named = self.size(name), kind_of(start), inner.lower()
        budget = max(16 * HARMLESS_BYTES, MAX_RATIO * size)
        if kind == "7z" and not is_part(own):
            from podium.datasets.archive.sevens import seven_to_zip  # rare

            with self._whole(name) as file:
                opened = self._unpacked(lambda copy: seven_to_zip(file, copy, budget, where), where)
        elif is_tar(kind) or (kind is None and named.endswith(TARS)):
            with self.open(name) as file:
                opened = self._unpacked(lambda copy: tar_to_zip(file, copy, budget, where), where)
        elif named.endswith(".zip") or kind == "zip":
            place = outer.find_stored(inner)
            whole = Slice(*place) if place else self._open.enter_context(self._whole(name))
            opened = CheckedZip(whole, where, own)
        else:
            what, hint = explain(start, size, own)
            raise PodiumError(f"{where} is no archive that podium reads. {what}", hint=hint)
        self._zips[f"{name}/"] = self._open.enter_context(opened)
        self.notes += [f"In '{name}': {note}" for note in opened.notes]

    def _unpacked(self, unpack: Callable[[IO[bytes]], None], where: str) -> CheckedZip:
        """Open what is unpacked into a zip without a name."""
        with ExitStack() as until_it_is_open:
            copy = until_it_is_open.enter_context(tempfile.TemporaryFile(dir=self._scratch))
            unpack(copy)
            opened = CheckedZip(copy, where)
            self._open.push(until_it_is_open.pop_all())
            return opened

    @contextmanager
    def _whole(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file to be read from any place: where it lies if it is not packed, else a copy without a name."""
        prefix, place = self._enter(name)
        if stored := self._zips[prefix].find_stored(place):
            yield io.BufferedReader(Slice(*stored))
            return
        with tempfile.TemporaryFile(dir=self._scratch) as copy:
            with self.open(name) as file:
                shutil.copyfileobj(file, copy, 1 << 20)
            copy.seek(0)
            yield copy

    def _archives(self, prefix: str) -> list[str]:
        return [f"{prefix}{name}" for name in self._zips[prefix].files if _is_archive(name)]


def _is_archive(name: str) -> bool:
    return name.lower().endswith(NESTED)
