"""What arrived, written down: from where, how many bytes, which sha256, under which licences if Kaggle names them.

One small file beside each raw folder.

It is an output of the stage `download`, so `dvc.lock` changes when Kaggle delivers something else.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from podium.config.datasets import KaggleSource, Source
from podium.errors import PodiumError
from podium.files import atomic_write, file_digest
from podium.paths import LICENCES, DatasetPaths


def save_provenance(source: Source, raw: Path, path: Path) -> None:
    """Write down what lies in a raw folder, which holds one file."""
    (file,) = raw.iterdir()
    facts: dict[str, object] = {"file": file.name, "bytes": file.stat().st_size, "sha256": file_digest(file)}
    if isinstance(source, KaggleSource) and (licences := _take_licences(source, DatasetPaths(raw.name), path.parent)):
        facts["licences"] = licences
    with atomic_write(path) as lock:
        lock.write_text(json.dumps(_name(source) | facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_provenance(path: Path) -> dict[str, Any]:
    """Read what was written down of an archive that arrived.

    Raises:
        PodiumError: it is not there, or damaged.
    """
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PodiumError(
            f"{path.name}, what is known of the archive that arrived, cannot be read: {error}."
        ) from error
    return known


def find_same(source: Source, folder: Path) -> Path | None:
    """Find a file that another dataset took from the very same source, and that is still as it was.

    Args:
        source: where the dataset comes from.
        folder: the folder of all raw folders and their locks.

    Returns:
        The file, or None.
    """
    for path, lock in _same(source, folder):
        if getattr(source, "sha256", None) in (None, lock["sha256"]):
            file = path.with_suffix("") / str(lock["file"])
            if file.is_file() and file_digest(file) == lock["sha256"]:
                return file
    return None


def _same(source: Source, folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Give the locks of what was taken from the very same source."""
    name = _name(source)
    for path in sorted(folder.glob("*.json")):
        lock = json.loads(path.read_text(encoding="utf-8"))
        if lock.items() >= name.items():
            yield path, lock


def _take_licences(source: KaggleSource, paths: DatasetPaths, folder: Path) -> list[str]:
    """Give the licences that Kaggle named when this archive, or another dataset's from the same source, arrived."""
    kept = paths.downloads / LICENCES
    if kept.is_file():
        known = json.loads(kept.read_text(encoding="utf-8"))
        if not any(paths.downloads.glob("*.zip")):  # an archive that stays there keeps them
            kept.unlink()
            with suppress(OSError):  # something of the user's lies there, too
                paths.downloads.rmdir()
        if known["dataset"] == source.dataset:
            return list(known["licences"])
    return next((lock["licences"] for _, lock in _same(source, folder) if "licences" in lock), [])


def _name(source: Source) -> dict[str, object]:
    """Give what tells one source from another."""
    return {key: value for key, value in asdict(source).items() if key != "sha256"}
