"""What the columns of a table mean: labels, parts, or facts about an image that are neither."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from podium.config.datasets import Part
from podium.datasets.formats.csv_index.read import highest, is_one
from podium.datasets.formats.survey.words import names_just_a_part, part_of, words_of

MAX_CLASSES = 20_000
"""Distinct values that a column of labels may have."""
LABEL_WORDS = ("label", "labels", "class", "classes", "category", "target", "diagnosis", "dx", "species", "breed")
"""Words in the names of columns of labels, the likeliest first."""
ATTRIBUTES = {
    *("sex", "gender", "age", "license", "licence", "width", "height", "size", "date", "time", "year", "month", "id"),
    *("ids", "uid", "uuid", "patient", "view", "position", "laterality", "side", "camera", "site", "location"),
    *("localization", "anatom", "country", "city", "url", "source", "author", "photographer", "file", "filename"),
    *("filepath", "filepaths", "path", "fold", "score", "confidence", "xmin", "ymin", "xmax", "ymax", "left"),
    *("top", "right", "bottom", "roi", "lat", "lon", "latitude", "longitude", "weight", "channels", "format", "hash"),
    *("sha", "md", "index", "unnamed", "bytes", "quality", "device", "rights", "credit", "race", "ethnicity", "lesion"),
}
"""Words in the names of columns that tell of an image, or of a patient, what is no class."""
SPLIT_WORDS = {"split", "subset", "usage", "partition", "fold", "set"}
SEPARATORS = " ,;|/&+"
"""Between several labels in one cell."""


@dataclass(frozen=True)
class Meaning:
    """What a table's columns say.

    Attributes:
        label: the column of the labels, or several, one a class; None if there are none.
        said: whether a name or the values say so, rather than that nothing else is left.
        labels: of each row.
        names: the names of classes that another column gives, by their labels.
        split: the column that tells the parts; None if there is none.
        words: the part of each of its words.
        notes: what a person should know.
        doubts: what speaks against it.
        others: other columns that may be the labels.
    """

    label: str | list[str] | None
    said: bool
    labels: list[str]
    names: dict[str, str] = field(default_factory=dict)
    split: str | None = None
    words: dict[str, Part] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def find_meaning(table: str, columns: dict[str, list[str]], chosen: str | None = None) -> Meaning:
    """Tell what columns mean.

    Args:
        table: its path, for messages.
        columns: the cells of each column but that of the paths.
        chosen: the column of the labels, if that is decided.
    """
    notes: list[str] = []
    split, words = _find_split(table, columns, notes)
    few = {name: cells for name, cells in columns.items() if name != split and _may_be_labels(cells)}
    if chosen is None and (one_hot := _find_one_hot(columns, split)):
        return _one_hot_meaning(table, columns, one_hot, split, words, notes)
    said = any(_rank(name) is not None for name in few)
    if chosen is None and not said and (shares := _find_shares(columns, split)):
        listed = ", ".join(f"'{name}'" for name in shares[:5])
        notes.append(f"The label is that of the columns {listed} of '{table}' which has the largest share.")
        labels = [highest(cells, shares) for cells in zip(*(columns[name] for name in shares), strict=True)]
        return Meaning(shares, True, labels, {}, split, words, notes)
    named = sorted((rank, name) for name in few if (rank := _rank(name)) is not None)
    few = {name: cells for name, cells in few.items() if _rank(name) is not None or not _tells_a_split(name)}
    plain = [name for name in few if not _is_attribute(name)]
    candidates = [name for _, name in named] or plain or [name for name in few if not _is_number(few[name])]
    if chosen is None and not candidates:
        return Meaning(None, False, [], {}, split, words, notes)
    label = chosen or candidates[0]
    others = [name for name in candidates if name != label and not _same(columns[label], columns[name])]
    twins = [name for name in columns if name not in (label, split) and _same(columns[label], columns[name])]
    doubts = _several_labels(table, label, columns[label])
    if chosen is None:
        doubts += _doubt_choice(table, label, others, named, plain)
    if others and not doubts:
        listed = ", ".join(f"'{name}'" for name in others[:5])
        notes.append(f"The labels are the column '{label}' of '{table}'; they could also be {listed}.")
    elif not named and not doubts:
        notes.append(f"The labels are the column '{label}' of '{table}', the only one that can be.")
    names = _names(columns[label], [columns[name] for name in twins])
    return Meaning(label, bool(named), columns[label], names, split, words, notes, doubts, others)


def _doubt_choice(
    table: str, label: str, others: list[str], named: list[tuple[int, str]], plain: list[str]
) -> list[str]:
    ranks = {name: rank for rank, name in named}
    alone = len(LABEL_WORDS)  # ranks below are of names that are one word
    rivals = [name for name in others if ranks.get(name, 0) // alone == ranks.get(label, 0) // alone]
    if rivals:
        listed = ", ".join(f"'{name}'" for name in [label, *rivals][:6])
        return [f"'{table}' has several columns that may be the labels: {listed}"]
    if not named and label not in plain:
        return [f"the column '{label}' of '{table}' may tell of an image what is no class"]
    return []


def _may_be_labels(cells: list[str]) -> bool:
    distinct = set(cells) - {""}
    return (
        2 <= len(distinct) <= min(MAX_CLASSES, max(2, len(cells) // 2))
        and not all(map(names_just_a_part, distinct))
        and not (_is_number(cells) and any(re.search(r"[.,]\d*[1-9]", value) for value in distinct))
    )


def _is_number(cells: list[str]) -> bool:
    return all(re.fullmatch(r"[-+]?\d+([.,]\d+)?(e[-+]?\d+)?", cell) for cell in cells[:1000] if cell)


def _is_attribute(name: str) -> bool:
    words = words_of(name)
    return not (words or name.isdecimal()) or any(word in ATTRIBUTES for word in words)


def _tells_a_split(name: str) -> bool:
    return bool(SPLIT_WORDS & {*words_of(name)})


def _rank(column: str) -> int | None:
    """Say how likely a column's name is one of labels: less is likelier; None if no word says so."""
    words = words_of(column)
    places = [
        LABEL_WORDS.index(word) + (len(LABEL_WORDS) if len(words) > 1 else 0) for word in words if word in LABEL_WORDS
    ]
    return min(places, default=None)


def _same(one: list[str], other: list[str]) -> bool:
    """Say whether two columns tell the same classes."""
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len({first for first, _ in pairs}) == len({second for _, second in pairs})


def _names(labels: list[str], twins: list[list[str]]) -> dict[str, str]:
    """Give the names of classes whose labels are numbers, by a column that tells the same in words."""
    if not _is_number(labels):
        return {}
    words = next((cells for cells in twins if not _is_number(cells)), None)
    return dict(zip(labels, words, strict=True)) if words else {}


def _several_labels(table: str, column: str, cells: list[str]) -> list[str]:
    """Doubt cells that hold several labels, each of which is a label of its own."""
    counts = Counter(cells)
    several = [value for value in counts if value.startswith(("[", "{")) or _is_joined(value, counts)]
    if not several:
        return []
    rows = sum(counts[value] for value in several)
    return [
        f"{rows:,} of {len(cells):,} cells of the column '{column}' of '{table}' hold several labels, such as "
        f"'{several[0]}'; podium gives each image one label"
    ]


def _is_joined(value: str, counts: Collection[str]) -> bool:
    """Say whether a value is two others, or more, with a separator between."""
    for place, letter in enumerate(value):
        if letter in SEPARATORS and value[:place].strip() in counts:
            rest = value[place + 1 :].strip(" ,;|/")
            if rest in counts or (rest and _is_joined(rest, counts)):
                return True
    return False


def _find_split(table: str, columns: dict[str, list[str]], notes: list[str]) -> tuple[str | None, dict[str, Part]]:
    """Find the column that says which part an image belongs to."""
    for name, cells in columns.items():
        values = set(cells) - {""}
        if not 2 <= len(values) <= 12:
            continue
        said = _tells_a_split(name)
        words = {
            value: part for value in sorted(values) if (part := part_of(value)) and (said or names_just_a_part(value))
        }
        if len(words) == len(values) and len(set(words.values())) > 1:
            listed = ", ".join(f"'{word}' is {part}" for word, part in words.items())
            notes.append(f"The column '{name}' of '{table}' tells the parts: {listed}.")
            return name, words
        flags = {value: is_one(value) for value in sorted(values)}
        part = part_of(re.sub(r"train_?test", "", name))
        if part and len(flags) == 2 and sum(flags.values()) == 1 and "is" in words_of(name):
            other: Part = "test" if part == "train" else "train"
            notes.append(f"The column '{name}' of '{table}' tells the parts: 1 is {part}, 0 is {other}.")
            return name, {value: part if yes else other for value, yes in flags.items()}
        if said:
            notes.append(
                f"The column '{name}' of '{table}' may tell a split ({', '.join(sorted(values)[:5])}); it is not used."
            )
    return None, {}


def _find_one_hot(columns: dict[str, list[str]], split: str | None) -> list[str]:
    """Find columns of 0 and 1, of which each row has a 1 in exactly one, or in several if there are four or more."""
    flags = [name for name, cells in columns.items() if name != split and _is_flag(cells)]
    if len(flags) < 2:
        return []
    ones = [sum(map(is_one, cells)) for cells in zip(*(columns[name] for name in flags), strict=True)]
    exactly = sum(count == 1 for count in ones)
    others = [name for name in columns if name not in flags and name != split and _rank(name) is not None]
    if others or any(_is_attribute(name) for name in flags):
        return []
    return flags if exactly == len(ones) or len(flags) > 3 else []


def _find_shares(columns: dict[str, list[str]], split: str | None) -> list[str]:
    """Find columns of shares that sum to 1 in each row: how sure somebody is of each class."""
    shares: dict[str, list[float]] = {}
    for name, cells in columns.items():
        try:
            values = [float(cell) for cell in cells]
        except ValueError:
            continue
        if name != split and not _is_attribute(name) and all(0 <= value <= 1 for value in values):
            shares[name] = values
    rows = [*zip(*shares.values(), strict=True)]
    return [*shares] if len(shares) > 1 and rows and all(abs(sum(row) - 1) < 0.01 for row in rows) else []


def _is_flag(cells: list[str]) -> bool:
    return (
        {cell.lower() for cell in cells} <= {"0", "1", "0.0", "1.0", "true", "false"} and any(map(is_one, cells))
    ) or (set(cells) <= {"0", "0.0"} and bool(cells))


def _one_hot_meaning(
    table: str,
    columns: dict[str, list[str]],
    names: list[str],
    split: str | None,
    words: dict[str, Part],
    notes: list[str],
) -> Meaning:
    rows = [*zip(*(columns[name] for name in names), strict=True)]
    used = [name for name in names if any(map(is_one, columns[name]))]
    listed = ", ".join(f"'{name}'" for name in names[:5])
    several = [[*map(is_one, cells)] for cells in rows if sum(map(is_one, cells)) != 1]
    doubts = []
    if several:
        first = [name for name, yes in zip(names, several[0], strict=True) if yes]
        what = " and ".join(f"'{name}'" for name in first) or "none of them"
        doubts.append(
            f"{len(several):,} of {len(rows):,} rows of '{table}' have not exactly one 1 in the columns {listed}: the "
            f"first has {what}; podium gives each image one label"
        )
    else:
        notes.append(f"The labels are the columns {listed}{', …' if len(names) > 5 else ''} of '{table}', one a class.")
        if empty := [name for name in names if name not in used]:
            notes.append(f"No row of '{table}' has a 1 in {', '.join(map(repr, empty[:5]))}.")
    labels = [next((name for name, cell in zip(names, cells, strict=True) if is_one(cell)), "") for cells in rows]
    return Meaning(names, True, labels, {}, split, words, notes, doubts)
