"""What `evaluate` wrote of a candidate, read again; and all that its card is made of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from podium.datasets.arrays import Split
from podium.errors import PodiumError
from podium.evaluation.confusions import Confusions
from podium.evaluation.predictions import Predictions

TABLES = {
    "per_class": ("class",),
    "comparison": ("model", "metric", "split", "verdict", "source"),
    "seeds": (),
    "reliability": ("split",),
    "coverage": ("split",),
    "slices": ("slice", "value"),
    "suspects": ("dataset", "id", "sha256", "decision", "note"),
    "learning_curve": (),
}
"""The tables, each `NAME.csv`, and their columns that are text, whatever it looks like."""

Facts = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """What `evaluate` wrote.

    Attributes:
        facts: of `evaluation.json`.
        failures: of `failures.json`; empty if there is none.
        cost: of `cost.json`; empty if nothing was measured.
        tables: by name; one that is not there has no rows.
        heat_maps: (k, 2, h, w) float16, from 0 to 1: what speaks for the true class, and for the predicted one.
    """

    facts: Facts
    failures: Facts
    cost: Facts
    tables: dict[str, pd.DataFrame]
    heat_maps: NDArray[np.float16] | None


@dataclass(frozen=True)
class Card:
    """All that a candidate's card is made of.

    Attributes:
        name: the candidate's.
        dataset: its dataset's.
        report: what was measured.
        predictions: for the test split.
        confusions: of the same.
        splits: the arrays of train, validation and test.
        histories: of the trainings, the candidate's own first.
        params: what it was made with, key by key.
        digest: the sha256 of the split manifest, which names every image of the dataset.
    """

    name: str
    dataset: str
    report: Report
    predictions: Predictions
    confusions: Confusions
    splits: Mapping[str, Split]
    histories: Sequence[pd.DataFrame]
    params: Mapping[str, object]
    digest: str


def load_report(folder: Path) -> Report:
    """Read the files of a candidate's report.

    Raises:
        PodiumError: the candidate is not evaluated, or a file is not what `evaluate` writes.
    """
    if not (folder / "evaluation.json").is_file():
        raise PodiumError(f"There is no {folder / 'evaluation.json'}: the candidate is not evaluated. Run `dvc repro`.")
    tables = {name: _read_table(folder / f"{name}.csv", texts) for name, texts in TABLES.items()}
    facts, failures, cost = (_read_json(folder / f"{name}.json") for name in ("evaluation", "failures", "cost"))
    return Report(facts, failures, cost, tables, _read_maps(folder / "heat_maps.npz"))


def flatten(value: object, key: str = "") -> dict[str, object]:
    """Give nested mappings and lists as one table, by keys like `phases.0.epochs`; what is None or empty is left out.

    Example:
        >>> flatten({"model": {"kind": "cnn", "units": [8, 4]}, "minutes": None})
        {'model.kind': 'cnn', 'model.units': '8, 4'}
    """
    if isinstance(value, Mapping):
        pairs = [(str(name), each) for name, each in value.items()]
    elif isinstance(value, list | tuple) and any(isinstance(each, Mapping | list | tuple) for each in value):
        pairs = [(str(place), each) for place, each in enumerate(value)]
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
        return {} if text is None or text == "" else {key: text}
    table: dict[str, object] = {}
    for name, each in pairs:
        table |= flatten(each, f"{key}.{name}" if key else name)
    return table


def _read_json(path: Path) -> Facts:
    if not path.is_file():
        return {}
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _damaged(path, error) from None
    if not isinstance(facts, dict):
        raise _damaged(path, "it holds no object")
    return facts


def _read_table(path: Path, texts: Sequence[str]) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values=_empty(path, texts))
    except ValueError as error:
        raise _damaged(path, error) from None
    return table


def _empty(path: Path, texts: Sequence[str]) -> dict[str, list[str]]:
    """Say which columns may be empty: those of numbers. In others, `NA` is a name."""
    header = pd.read_csv(path, nrows=0).columns
    return {str(name): [""] for name in header if name not in texts}


def _read_maps(path: Path) -> NDArray[np.float16] | None:
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            maps: NDArray[np.float16] = arrays["maps"]
    except (ValueError, KeyError, OSError) as error:
        raise _damaged(path, error) from None
    return maps


def _damaged(path: Path, why: object) -> PodiumError:
    return PodiumError(f"{path} is not what `evaluate` writes: {why}. Run `dvc repro` again.")
