"""Files put into a zip, stored as they are: a folder's, or those of another archive."""

import io
import shutil
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from podium.datasets.archive.notes import write_notes
from podium.datasets.archive.slices import Slice
from podium.errors import PodiumError

_EPOCH = (1980, 1, 1, 0, 0, 0)
_LONGEST_NAME = 0xFFFF // 4
"""Letters: a zip takes 65,535 bytes, and a letter may need four."""


class _RawName(zipfile.ZipInfo):
    """A member whose name is kept byte by byte, and not marked as UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's
        return self.filename.encode("utf-8", "surrogateescape"), self.flag_bits


class Packer:
    """A zip being written: files stored as they come, without dates, so that the same files give the same bytes."""

    def __init__(self, target: Path | IO[bytes], *, raw_names: bool = False) -> None:
        """Begin a zip.

        Args:
            target: its place; a file of its own stays open.
            raw_names: the names may hold bytes that are no UTF-8; whoever reads the zip guesses what they are.
        """
        self._own = target.open("w+b") if isinstance(target, Path) else None
        self._file: IO[bytes] = self._own or cast("IO[bytes]", target)
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED)
        self._info = _RawName if raw_names else zipfile.ZipInfo
        self._open: IO[bytes] | None = None
        self.notes: list[str] = []
        """Sentences for people, which go into the zip's comment."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if error is None:
                self._archive.comment = write_notes(self.notes)
                self._archive.close()
                return
            with suppress(OSError):  # the disk may be full: that is the error that is on its way
                if self._open:
                    self._open.close()
            self._archive.fp = None  # no zip is left
        finally:
            if self._own:
                self._own.close()

    def create(self, name: str) -> IO[bytes]:
        """Begin a file; close it before the next."""
        if len(name) > _LONGEST_NAME:
            raise PodiumError(f"The name '{name[:80]}…' is too long: {len(name):,} letters, at most {_LONGEST_NAME:,}.")
        info = self._info(name, _EPOCH)
        self._archive.NameToInfo.pop(info.filename, None)  # zipfile would warn; whoever reads the zip looks at both
        self._open = self._archive.open(info, "w", force_zip64=True)
        return self._open

    def add(self, name: str, source: IO[bytes]) -> tuple[int, int]:
        """Store a file.

        Returns:
            Where in the zip its bytes begin, and how many they are.
        """
        with self.create(name) as sink:
            begin = self._file.tell()
            shutil.copyfileobj(source, sink, 1 << 20)
            return begin, self._file.tell() - begin

    def copy(self, name: str, place: tuple[int, int]) -> None:
        """Store the bytes of a file that is in the zip already under another name, too."""
        self._file.flush()
        self.add(name, io.BufferedReader(Slice(self._file.fileno(), *place)))


def pack_files(
    files: Iterable[tuple[str, Path]], target: Path, *, notes: Iterable[str] = (), raw_names: bool = False
) -> None:
    """Store files in a zip, each under a name of its own. See `Packer`."""
    with Packer(target, raw_names=raw_names) as packer:
        packer.notes += notes
        for name, path in files:
            with path.open("rb") as source:
                packer.add(name, source)
