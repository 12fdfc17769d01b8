"""A kept decision, decided again from its files: whether it is what the rules and the answers lead to."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet
from pydantic import TypeAdapter

from podium.config.gates import Gate
from podium.errors import PodiumError
from podium.registry.decision import Answers, Context, Decision, Pairs, load_pairs
from podium.registry.gate.deciding import decide

FORMAT = 1
MOST_ROWS, MOST_CLASSES, MOST_TEXT = 2_000_000, 100_000, 4096
"""Of pairs; of classes; characters of an id."""
MOST_BYTES = 1 << 30
"""Of pairs when unpacked."""
MOST_COUNTED = 1_000_000
"""Decisions on the same images, candidates, epochs."""
MOST_JSON = 64 << 20
"""Bytes of decision.json."""


def recompute(folder: Path) -> Decision:
    """Decide again from `decision.json` and `pairs.parquet`; of the decision that is kept there nothing is used.

    Args:
        folder: of a decision, see the docs; it may come from anybody.

    Raises:
        PodiumError: there is no decision, or its files hold what no podium wrote.
    """
    path = folder / "decision.json"
    known = _read(path)
    try:
        rules = TypeAdapter(Gate).validate_json(json.dumps(known["rules"]))
        context = TypeAdapter(Context).validate_json(json.dumps(known["context"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _strange(path, "its rules or its context are not as podium writes them") from error
    if not all(1 <= count <= MOST_COUNTED for count in (context.number, context.candidates, context.epochs)):
        raise _strange(path, f"it counts decisions, candidates or epochs, and not from 1 to {MOST_COUNTED:,}")
    pairs = folder / "pairs.parquet"
    return decide(_load(pairs) if pairs.exists() else None, rules, context)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_JSON:
            raise _strange(path, f"it has more than {MOST_JSON >> 20} MiB")
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PodiumError(f"There is no {path}: that folder holds no decision of the gate.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise _strange(path, "it cannot be read as JSON") from error
    if not isinstance(known, dict) or known.get("format") != FORMAT:
        raise _strange(path, f"its format is not {FORMAT}: it is of another podium")
    return known


def _load(path: Path) -> Pairs:
    """Read pairs after a look at how large they are."""
    try:
        with parquet.ParquetFile(path, read_dictionary=["id", "sha256"]) as file:
            meta = file.metadata
            size = sum(meta.row_group(place).total_byte_size for place in range(meta.num_row_groups))
            if meta.num_rows > MOST_ROWS or size > MOST_BYTES:
                raise _strange(path, f"it has more than {MOST_ROWS:,} rows or {MOST_BYTES >> 30} GiB")
            words = file.read(["id", "sha256"], use_threads=False).columns
            if any(pa.types.is_dictionary(some.type) and _longest(some) > MOST_TEXT for some in words):
                raise _strange(path, f"an id has more than {MOST_TEXT:,} characters")
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise _strange(path, "it is no Parquet file of pairs") from error
    pairs = load_pairs(path)
    if fault := _find_fault(pairs):
        raise _strange(path, fault)
    return pairs


def _longest(words: pa.ChunkedArray) -> int:
    """Give the length of the longest word of a column without writing each as often as it occurs."""
    return max((compute.max(compute.utf8_length(chunk.dictionary)).as_py() or 0 for chunk in words.chunks), default=0)


def _find_fault(pairs: Pairs) -> str:
    classes = len(pairs.classes)
    if not 0 < classes <= MOST_CLASSES or not all(isinstance(name, str) for name in pairs.classes):
        return f"it names no classes, or more than {MOST_CLASSES:,}"
    both = (pairs.champion, pairs.challenger)
    for values in (pairs.labels, *(some.predicted for some in both)):
        if values.dtype != np.int64 or (len(values) and not 0 <= values.min() <= values.max() < classes):
            return "a class in it has no name"
    if pairs.groups.dtype != np.int64:
        return "its groups are no whole numbers"
    if not all(_are_figures(some) for some in both):
        return "a loss or an overlap in it is no number that can be"
    return ""


def _are_figures(some: Answers) -> bool:
    if some.losses.dtype != np.float64 or some.overlaps.dtype != np.float64:
        return False
    known = some.overlaps[~np.isnan(some.overlaps)]
    return bool(np.isfinite(some.losses).all() and ((known >= 0) & (known <= 1 + 1e-6)).all())


def _strange(path: Path, what: str) -> PodiumError:
    return PodiumError(f"{path} is no decision that can be made again: {what}. Fetch the files of the decision again.")
