"""What arrived, written down: from where, how many bytes, which sha256. One small file beside each raw folder.

It is an output of the stage `download`, so `dvc.lock` changes when Kaggle delivers something else.
"""

import json
from dataclasses import asdict
from pathlib import Path

from podium.config.datasets import Source
from podium.files import atomic_write, file_digest


def save_provenance(source: Source, raw: Path, path: Path) -> None:
    """Write down what lies in a raw folder, which holds one file."""
    (file,) = raw.iterdir()
    facts = {"file": file.name, "bytes": file.stat().st_size, "sha256": file_digest(file)}
    with atomic_write(path) as lock:
        lock.write_text(json.dumps(_name(source) | facts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def find_same(source: Source, folder: Path) -> Path | None:
    """Find a file that another dataset took from the very same source, and that is still as it was.

    Args:
        source: where the dataset comes from.
        folder: the folder of all raw folders and their locks.

    Returns:
        The file, or None.
    """
    name = _name(source)
    for path in sorted(folder.glob("*.json")):
        lock = json.loads(path.read_text(encoding="utf-8"))
        if lock.items() >= name.items() and getattr(source, "sha256", None) in (None, lock["sha256"]):
            file = path.with_suffix("") / str(lock["file"])
            if file.is_file() and file_digest(file) == lock["sha256"]:
                return file
    return None


def _name(source: Source) -> dict[str, object]:
    """Give what tells one source from another."""
    return {key: value for key, value in asdict(source).items() if key != "sha256"}
