"""A competition's submission: one row for each image, by what the competition calls it."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from podium.errors import PodiumError, nearest
from podium.files import atomic_write
from podium.serving.tables import harmless_cell
from podium.tracking.classifier import Answer

Id = Literal["number", "stem", "name"]
Value = Literal["index", "label", "probability"]
_NUMBER = re.compile(r"(\d{1,18})$")


@dataclass(frozen=True)
class Form:
    """What a competition asks for. As it stands, dogs-vs-cats: `id,label`, the number in the name, and 0 or 1.

    Attributes:
        columns: the two of them.
        id: an image's id: the number that its name ends in, its name without the ending, or its name.
        value: what is said of it: the class's place among the classes, from 0; its name; or one class's probability.
        positive: that class; by default the last one.
    """

    columns: tuple[str, str] = ("id", "label")
    id: Id = "number"
    value: Value = "index"
    positive: str | None = None

    def check(self, classes: Sequence[str]) -> None:
        """Raise PodiumError if it asks for a class that there is not."""
        if self.positive is not None and self.positive not in classes:
            raise PodiumError(f"The model has no class '{self.positive}'. {nearest(self.positive, classes[:100])}")

    def describe(self, classes: Sequence[str]) -> str:
        """Say in words what is written."""
        first, second = self.columns
        ids = {
            "number": "the number in the file's name",
            "stem": "the file's name without its ending",
            "name": "its name",
        }
        values = {
            "index": ", ".join(f"{place} for {name}" for place, name in enumerate(classes[:5]))
            + (", …" if len(classes) > 5 else ""),
            "label": "the class's name",
            "probability": f"the probability of {self.positive or classes[-1]}",
        }
        return f"{first} is {ids[self.id]}, {second} is {values[self.value]}"


@dataclass
class Submission:
    """The rows of one submission, gathered as images are answered.

    Attributes:
        form: what is asked for.
        classes: the model's.
        missing: how many images could not be read: they have no row.
    """

    form: Form
    classes: Sequence[str]
    missing: int = 0
    _rows: dict[str, str] = field(default_factory=dict)

    def check_names(self, names: Iterable[str]) -> None:
        """Make sure of the images' ids, before hours go into their answers.

        Raises:
            PodiumError: a name gives no id, or that of another image.
        """
        known: dict[str, str] = {}
        for name in names:
            key = self._find_id(name)
            if key in known:
                raise PodiumError(f"Two images have the id {key}: '{known[key]}' and '{name}'. Try `--id name`.")
            known[key] = name

    def add(self, name: str, answer: Answer) -> None:
        """Take an answer."""
        if answer["error"]:
            self.missing += 1
        else:
            self._rows[self._find_id(name)] = self._find_value(answer)

    def save(self, path: Path) -> int:
        """Write the CSV file, in the order of the ids; give the number of its rows."""
        order = (lambda row: int(row[0])) if self.form.id == "number" else (lambda row: row[0])
        with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.form.columns)
            writer.writerows([harmless_cell(key), value] for key, value in sorted(self._rows.items(), key=order))
        return len(self._rows)

    def _find_id(self, name: str) -> str:
        path = PurePosixPath(name)
        if self.form.id == "name":
            return path.name
        if self.form.id == "stem":
            return path.stem
        number = _NUMBER.search(path.stem)
        if number is None:
            raise PodiumError(f"The name of '{name}' ends in no number, which would be its id. Try `--id stem`.")
        return str(int(number[1]))

    def _find_value(self, answer: Answer) -> str:
        match self.form.value:
            case "index":
                return str(self.classes.index(answer["label"]))
            case "label":
                return harmless_cell(answer["label"])
            case "probability":
                return f"{answer['probabilities'][self.form.positive or self.classes[-1]]:.6f}"
