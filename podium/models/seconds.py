"""How long a model's training took: noted beside the model, as a time is no result and differs from run to run."""

import json
from collections.abc import Mapping
from pathlib import Path

from podium.files import atomic_write, file_digest


def save_seconds(seconds: Mapping[int, float], model: Path, path: Path) -> None:
    """Note how long a candidate was trained.

    Args:
        seconds: by seed, kills and resumes included.
        model: the file of the candidate's own model: its digest is noted, too.
        path: where to.
    """
    known = {"seconds": {str(seed): round(one, 1) for seed, one in seconds.items()}, "model": file_digest(model)}
    with atomic_write(path) as part:
        part.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8", newline="\n")


def load_seconds(model: Path, path: Path) -> dict[int, float] | None:
    """Give the seconds by seed.

    Returns:
        None where nothing is noted of this model: it was trained elsewhere, or brought back by DVC, which does not
        keep the note.
    """
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["model"] != file_digest(model):
            return None
        return {int(seed): float(one) for seed, one in known["seconds"].items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return None
