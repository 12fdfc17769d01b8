"""The files that metadata names: in the project, in the archive, in archives inside it."""

import os
import re
from collections.abc import Iterable
from glob import escape
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import pandas as pd

from podium.datasets.additions import PREFIX
from podium.datasets.archive import NESTED
from podium.datasets.croissant.terms import ENCODINGS, Node
from podium.files import file_digest
from podium.paths import DatasetPaths

ARCHIVE, IMAGE_FILES = "archive", "image-files"
"""How the metadata refers to the archive, and to the image files that lie in it."""
_ROW = re.compile(r"(.+):[0-9]+")
"""The id of an image in a table."""


def describe_file(path: Path, key: str, paths: DatasetPaths) -> Node:
    """Describe a file of the project."""
    return {
        "@type": "cr:FileObject",
        "@id": key,
        "name": path.name,
        "contentUrl": relative(path, paths),
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": encoding(path.name),
        "sha256": file_digest(path),
    }


def list_added(paths: DatasetPaths, added: pd.DataFrame) -> list[Node]:
    """List the images that people added, which lie in the project beside the archive.

    Args:
        paths: of the dataset.
        added: id and sha256 of each.
    """
    files = [(id_, paths.additions / id_.removeprefix(PREFIX)) for id_ in added["id"].tolist()]
    return [
        {
            "@type": "cr:FileObject",
            "@id": id_,
            "name": file.name,
            "contentUrl": relative(file, paths),
            "encodingFormat": encoding(file.name),
            "sha256": digest,
        }
        for (id_, file), digest in zip(files, added["sha256"].tolist(), strict=True)
    ]


def relative(path: Path, paths: DatasetPaths) -> str:
    """Give a file's path as seen from the metadata's folder."""
    return Path(os.path.relpath(path, paths.croissant.parent)).as_posix()


def list_inside(manifest: pd.DataFrame) -> list[Node]:
    """List what the archive holds: archives, tables with images, and image files by their folders and endings.

    Args:
        manifest: one row an image, at least with id, part and format.
    """
    of_files = bool(manifest["format"].any())
    tables, places = set[str](), set[tuple[str, str, str]]()
    columns = (manifest[column].tolist() for column in ("id", "part", "format"))
    for name, part, kind in zip(*columns, strict=True):
        row = _ROW.fullmatch(name) if not kind or ".parquet:" in name else None
        if row:
            tables.add(row[1])
        elif of_files:
            places.add((part, *_split_name(name)))
    patterns = _find_patterns(places)
    boxes = {box for name in (*tables, *(f"{box}/" for box in patterns)) for box in _boxes(name)}
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": IMAGE_FILES if not box else f"{IMAGE_FILES}/{quote(box)}",
            "name": f"Image files of {box or 'the archive'}",
            "containedIn": {"@id": _key(box)},
            "encodingFormat": sorted({encoding(pattern) for pattern in found}),
            "includes": sorted(found),
        }
        for box, found in sorted(patterns.items())
    ]
    return [*(_within(name) for name in sorted(tables | boxes)), *sets]


def _find_patterns(places: Iterable[tuple[str, str, str]]) -> dict[str, set[str]]:
    """Give globs for image files, by the archive inside the archive that they lie in.

    Args:
        places: each file's part, folder and ending.
    """
    table = pd.DataFrame(sorted(places), columns=["part", "folder", "ending"])
    table["box"] = [(_boxes(f"{folder}/") or [""])[-1] for folder in table["folder"]]
    patterns: dict[str, set[str]] = {}
    for (_, box), rows in table.groupby(["part", "box"], sort=True):
        folders = [folder.removeprefix(str(box)).strip("/") for folder in rows["folder"]]
        common = os.path.commonpath(folders) if all(folders) else ""
        start = f"{escape(common)}/" if common else ""
        patterns.setdefault(str(box), set()).update(
            f"{start}{'' if folder == common else '**/'}*{escape(ending)}"
            for folder, ending in zip(folders, rows["ending"], strict=True)
        )
    return patterns


def _split_name(name: str) -> tuple[str, str]:
    """Give a file's folder and the ending of its name."""
    folder, _, base = name.rpartition("/")
    dot = base.rfind(".")
    return folder, base[dot:] if dot > 0 else ""


def _boxes(name: str) -> list[str]:
    """Give the archives inside the archive that a file, or a folder with a slash after it, lies in, outermost first."""
    parts = name.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end, part in enumerate(parts) if part.lower().endswith(NESTED)]


def _within(name: str) -> Node:
    """Describe a file inside the archive, or inside an archive in it."""
    box = (_boxes(name) or [""])[-1]
    return {
        "@type": "cr:FileObject",
        "@id": _key(name),
        "name": PurePosixPath(name).name,
        "contentUrl": name[len(box) + 1 :] if box else name,
        "containedIn": {"@id": _key(box)},
        "encodingFormat": encoding(name),
    }


def _key(name: str) -> str:
    return f"{ARCHIVE}/{quote(name)}" if name else ARCHIVE


def encoding(name: str) -> str:
    """Give the media type of a file by its name."""
    return ENCODINGS.get(PurePosixPath(name).suffix.lower(), "application/octet-stream")
