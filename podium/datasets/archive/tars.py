"""A tar, whatever it is packed by, read once from start to end into a zip, where its files are found at once."""

import lzma
import posixpath
import tarfile
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from typing import IO, Self

from podium.datasets.archive.names import clean, leads_out
from podium.datasets.archive.notes import Oddities
from podium.datasets.archive.packing import Packer
from podium.datasets.archive.zips import MAX_FILES, UNSAFE
from podium.errors import PodiumError

_MAX_HEADER = 1 << 20
"""Bytes of what stands before a file: its long name, its dates."""
_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
_MAX_LINKS = 20
"""So many links may lead from one to the next."""


class _Header(tarfile.TarInfo):
    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in _HEADERS and header.size > _MAX_HEADER):
            raise tarfile.ReadError("a header's size is out of all measure")
        return header


def tar_to_zip(packed: IO[bytes], target: IO[bytes], budget: int, where: str) -> None:
    """Copy a tar's files into a zip.

    A link, hard or symbolic, to a file or a folder in the same tar is stored as what it leads to.

    Args:
        packed: is read from its start to its end.
        target: an empty file on the disk.
        budget: so many bytes it may have when unpacked, with what its links lead to.
        where: what it is called in messages.

    Raises:
        PodiumError: it is no tar, is damaged, or not safe to unpack.
    """
    try:
        with tarfile.open(fileobj=packed, mode="r|*", tarinfo=_Header) as tar, Packer(target, raw_names=True) as packer:
            _Copy(tar, packer, budget, where).run()
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno:  # the disk's, not the archive's
            raise
        raise PodiumError(f"{where} cannot be read ({error}). Download the archive again.") from None


class _Copy:
    def __init__(self, tar: tarfile.TarFile, packer: Packer, budget: int, where: str) -> None:
        self._tar, self._packer, self._budget, self._where = tar, packer, budget, where
        self._count = 0
        self._stored: dict[str, tuple[int, int]] = {}
        """Of each file, by its clean name, the place in the zip."""
        self._links: dict[str, tuple[str, str]] = {}
        """Of each link, by its clean name, its own, and where it leads."""

    def run(self) -> None:
        for member in self._tar:
            if member.issym() or member.islnk():
                self._links[clean(member.name)] = member.name, self._aim(member)
            elif not (member.isfile() or member.isdir()):
                raise PodiumError(f"{self._where}: '{member.name}' is a device or a pipe. {UNSAFE}")
            elif source := self._tar.extractfile(member):
                self._spend(member.size)
                self._stored[clean(member.name)] = self._packer.add(member.name, source)
        odd = Oddities()
        self._follow_links(odd)
        self._packer.notes += odd.notes()

    def _spend(self, size: int) -> None:
        self._budget -= size
        self._count += 1
        if self._budget < 0 or self._count > MAX_FILES:
            raise PodiumError(f"{self._where} grows beyond all measure when it is unpacked. {UNSAFE}")

    def _aim(self, link: tarfile.TarInfo) -> str:
        """Give the clean path that a link leads to."""
        folder = posixpath.dirname(link.name) if link.issym() else ""
        aim = clean(posixpath.normpath(posixpath.join(folder, link.linkname)))
        if leads_out(aim):
            raise PodiumError(f"{self._where}: '{link.name}' is a link that leads out of it. {UNSAFE}")
        return aim

    def _follow_links(self, odd: Oddities) -> None:
        names = sorted(self._stored) if self._links else []
        for name, (written, aim) in self._links.items():
            for _ in range(_MAX_LINKS):
                aim = self._links[aim][1] if aim in self._links else aim
            if aim in self._links or f"{name}/".startswith(f"{aim}/" if aim else ""):
                odd.count("Links that lead to themselves, or to a folder that they lie in", "left aside", written)
            elif aim in self._stored:
                self._copy(written, aim)
            elif below := [*_below(f"{aim}/", names)]:
                for file in below:
                    self._copy(f"{written}/{file.removeprefix(f'{aim}/')}", file)
            else:
                odd.count("Links that lead to nothing in it", "left aside", written)

    def _copy(self, name: str, file: str) -> None:
        place = self._stored[file]
        self._spend(place[1])
        self._packer.copy(name, place)


def _below(folder: str, names: list[str]) -> Iterator[str]:
    """Give the names, of sorted ones, that begin with a folder's."""
    for place in range(bisect_left(names, folder), len(names)):
        if not names[place].startswith(folder):
            return
        yield names[place]
