"""How the path in a table's cell finds its image."""

import re
import unicodedata

from podium.datasets.archive import Archive
from podium.datasets.formats.image_files import is_junk

_ENDING = re.compile(r"(?<=[^/])\.[A-Za-z][A-Za-z0-9]{0,4}$")

Match = str
"""One of the values of `match`; see `CsvIndexFormat`."""


def clean_cell(cell: str, strip: str | None = None) -> str:
    r"""Write a cell's path as the archive writes paths.

    Example:
        >>> clean_cell("C:\\data\\cat\\1.jpg", "C:/data/")
        'cat/1.jpg'
    """
    path = (cell if cell.isascii() else unicodedata.normalize("NFC", cell)).replace("\\", "/")
    while path.startswith(("./", "/")):
        path = path.removeprefix(".")[1:]
    return path.removeprefix(strip.lstrip("/")) if strip else path


def key_of(path: str, match: Match | None) -> str:
    """Give what two paths have in common if they name one image.

    Example:
        >>> key_of("photos/IMG_1.JPG", "stem"), key_of("photos/IMG_1.JPG", "any_case")
        ('photos/img_1', 'photos/img_1.jpg')
    """
    match match:
        case "any_case":
            return path.casefold()
        case "name":
            return path.rpartition("/")[2]
        case "stem":
            return _ENDING.sub("", path).casefold()
    return path


class Matcher:
    """The files of some folders, found by the paths of a table."""

    def __init__(
        self, archive: Archive, folders: list[str], suffix: str, strip: str | None, match: Match | None
    ) -> None:
        """Index the files. Raises PodiumError if a folder is not there."""
        self._suffix, self._strip, self._match = suffix, strip, match
        self._where = " or ".join(f"'{folder}'" for folder in folders[:3])
        self._single = folders[0] if len(folders) == 1 else None
        self._files: dict[str, str] = {}
        self._twice: dict[str, str] = {}
        for folder in folders:
            prefix = "" if folder == "." else f"{folder.removeprefix('./').rstrip('/')}/"
            for name in archive.files(folder):
                if match and is_junk(name):
                    continue
                key = key_of(name.removeprefix(prefix), match)
                if self._files.setdefault(key, name) != name:
                    self._twice[key] = name

    def find(self, cell: str) -> tuple[str, str]:
        """Find the image of a cell; give its path in the archive, and a fault if there is none, or several."""
        path = clean_cell(cell, self._strip) + self._suffix
        key = key_of(path, self._match)
        if key in self._twice:
            return "", f"'{cell}' may be '{self._files[key]}' or '{self._twice[key]}'"
        if key in self._files:
            return self._files[key], ""
        prefix = "" if self._single in (None, ".") else f"{str(self._single).removeprefix('./').rstrip('/')}/"
        return "", f"there is no image '{prefix}{path}' in the archive"
