"""Parquet files by their names: which are one dataset, which part each is of, and whether one is missing."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import takewhile
from typing import get_args

from podium.config.datasets import Part
from podium.datasets.formats.image_parquet.read import match_names
from podium.datasets.formats.survey.words import PARTS, part_of, part_of_path

_NUMBERED = re.compile(r"(\d+)-of-(\d+)")

Shards = dict[Part, list[str]]


def group_shards(names: Sequence[str]) -> list[Shards]:
    """Sort files into datasets: those whose paths differ in words for parts and in numbers only are one."""
    datasets: dict[str, dict[Part | None, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in sorted(names):
        base = name.rpartition("/")[2].rpartition(".")[0]
        part = part_of(re.split(r"-\d", base)[0]) or part_of_path(name.rpartition(".")[0])
        datasets[_stem(name)][part].append(name)
    result = []
    for parts in datasets.values():
        unnamed = parts.pop(None, [])
        if unnamed and "train" not in parts:
            parts["train"] = unnamed
        result.append({part: parts[part] for part in get_args(Part) if part in parts})
    return result


def shorten(shards: Sequence[str], names: Sequence[str]) -> str | list[str]:
    """Write shards as one pattern, if it stands for them and no other file; else as a list."""
    if len(shards) == 1:
        return shards[0]
    start = _common_start(shards).rstrip("0123456789")
    end = _common_start([name[::-1] for name in shards])[::-1].lstrip("0123456789")
    pattern = f"{start}*{end}"
    return pattern if match_names(pattern, names) == sorted(shards) else [*shards]


def _common_start(names: Sequence[str]) -> str:
    pairs = zip(min(names), max(names), strict=False)
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def missing_shards(shards: Sequence[str]) -> str:
    """Say which of so many numbered shards are not there; empty if all are."""
    found = [match for name in shards if (match := _NUMBERED.search(name))]
    expected = {int(match[2]) for match in found if len(match[2]) < 7}
    if not found or len(expected) != 1 or len(found) >= (count := expected.pop()):
        return ""
    return f"Of {count:,} files such as '{shards[0]}', only {len(found):,} can be found."


def _stem(name: str) -> str:
    folder, _, base = name.rpartition("/")
    base = re.split(r"-?\d+-of-\d+", base.rpartition(".")[0])[0]
    words = re.findall(r"[a-z]+", f"{folder}/{base}".lower())
    return f"{folder.count('/')} {' '.join(word for word in words if word not in PARTS)}"
