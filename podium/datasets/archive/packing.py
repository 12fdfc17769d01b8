"""Files put into a zip, stored as they are: a folder's, or those of another archive."""

import json
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from podium.datasets.archive.slices import Slice
from podium.datasets.archive.zips import NOTED
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
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._info = _RawName if raw_names else zipfile.ZipInfo
        self.notes: list[str] = []
        """Sentences for people, which go into the zip's comment."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.notes:
            self._archive.comment = json.dumps({NOTED: self.notes}).encode()
        self._archive.close()

    def create(self, name: str) -> IO[bytes]:
        """Begin a file; close it before the next."""
        if len(name) > _LONGEST_NAME:
            raise PodiumError(f"The name '{name[:80]}…' is too long: {len(name):,} letters, at most {_LONGEST_NAME:,}.")
        info = self._info(name, _EPOCH)
        self._archive.NameToInfo.pop(info.filename, None)  # zipfile would warn; whoever reads the zip looks at both
        return self._archive.open(info, "w", force_zip64=True)

    def add(self, name: str, source: IO[bytes]) -> tuple[int, int]:
        """Store a file.

        Returns:
            Where in the zip its bytes begin, and how many they are.
        """
        with self.create(name) as sink:
            assert self._archive.fp is not None  # noqa: S101 - it is open
            begin = self._archive.fp.tell()
            shutil.copyfileobj(source, sink, 1 << 20)
            return begin, self._archive.fp.tell() - begin

    def copy(self, name: str, place: tuple[int, int]) -> None:
        """Store the bytes of a file that is in the zip already under another name, too."""
        assert self._archive.fp is not None  # noqa: S101 - it is open
        self._archive.fp.flush()
        self.add(name, Slice(self._archive.fp.fileno(), *place))


def pack_files(
    files: Iterable[tuple[str, Path]], target: Path, *, notes: Iterable[str] = (), raw_names: bool = False
) -> None:
    """Store files in a zip, each under a name of its own. See `Packer`."""
    with Packer(target, raw_names=raw_names) as packer:
        packer.notes += notes
        for name, path in files:
            with path.open("rb") as source:
                packer.add(name, source)
