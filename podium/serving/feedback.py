"""What people say of answers: a labelled image each, kept for review. Nothing of it is in the dataset by itself.

Those that a person accepts become a part of the dataset, see `podium.datasets.additions`.

data/feedback/<dataset>/images/<sha256>.<ending>   the image, as it came
data/feedback/<dataset>/labels.jsonl               a line for each time somebody said what an image shows
data/feedback/<dataset>/reviewed.jsonl             a line for each image that a person accepted or refused
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock

from podium.errors import PodiumError
from podium.evaluation.intervals import Estimate, wilson
from podium.files import atomic_write
from podium.images.decoding import inspect
from podium.images.given import MAX_BYTES, MAX_SERVED_PIXELS
from podium.images.kinds import SUFFIXES
from podium.images.opening import BadImageError, open_image

FEEDBACK = Path("data/feedback")
LABELS, REVIEWED, IMAGES, LOCK = "labels.jsonl", "reviewed.jsonl", "images", ".lock"
MAX_WAITING = 10_000
"""Images that wait for review: more are not taken, so that nobody fills the disk."""

Parsed = TypeVar("Parsed")
Accept = Callable[[list[tuple[str, Path]]], object]
"""Takes the class of each image, as people read it, and its file."""


@dataclass(frozen=True)
class Said:
    """What one version said of an image.

    Attributes:
        model: the version: `digits/3`.
        label: the class.
        probability: of it.
        unsure: whether it was below its threshold; None if it has none.
    """

    model: str
    label: str
    probability: float
    unsure: bool | None


@dataclass(frozen=True)
class Labelled:
    """An image, and what a person says that it shows.

    Attributes:
        sha256: of the image file.
        file: its name in the folder of images.
        label: the class that is right.
        said: what the versions said that were asked.
        when: UTC, `2026-05-01T12:00:00+00:00`.
    """

    sha256: str
    file: str
    label: str
    said: tuple[Said, ...]
    when: str


class Feedback:
    """What people said about one dataset's images."""

    def __init__(self, root: Path, dataset: str) -> None:
        """Know where it is; nothing is made before something is kept.

        Args:
            root: the project's root.
            dataset: its name, which is the registered model's.

        Raises:
            PodiumError: that is no name of a dataset.
        """
        if not dataset or dataset in (".", "..") or set(dataset) & {"/", "\\", "\0"}:
            raise PodiumError(f"'{dataset}' cannot be the name of a dataset. Expected one such as digits.")
        self.dataset, self.folder = dataset, root / FEEDBACK / dataset

    def keep(self, data: bytes, label: str, said: Sequence[Said], classes: Sequence[str]) -> Labelled:
        """Keep an image with what a person says of it.

        Args:
            data: the image file.
            label: the right class.
            said: what the models said.
            classes: those that there are.

        Raises:
            PodiumError: it is no usable image, there is no such class, or too many images wait for review.
        """
        if label not in classes:
            raise PodiumError(f"There is no class '{label}'. Choose one of the {len(classes)} that the model knows.")
        suffix = _check(data)
        digest = hashlib.sha256(data).hexdigest()
        image = self.folder / IMAGES / f"{digest}{suffix}"
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / LOCK):
            if not image.is_file():
                if len(self.waiting()) >= MAX_WAITING:
                    raise PodiumError(
                        f"{MAX_WAITING:,} images wait for review, and no more are kept. "
                        f"Look at them: `podium feedback {self.dataset}`."
                    )
                with atomic_write(image) as part:
                    part.write_bytes(data)
            one = Labelled(digest, image.name, label, tuple(said), datetime.now(UTC).isoformat(timespec="seconds"))
            _append(asdict(one), self.folder / LABELS)
        return one

    def read(self) -> list[Labelled]:
        """Give all that was said, the oldest first; of an image that was labelled again, only the last time."""
        lines = _read(self.folder / LABELS, _parse)
        return [*{one.sha256: one for one in lines}.values()]

    def reviewed(self) -> dict[str, str]:
        """Give what was decided about images, `accepted` or `refused`, by their sha256."""
        return dict(_read(self.folder / REVIEWED, lambda line: (str(line["sha256"]), str(line["decision"]))))

    def waiting(self) -> list[Labelled]:
        """Give what nobody has reviewed yet."""
        known = self.reviewed()
        return [one for one in self.read() if one.sha256 not in known]

    def review(self, digests: Sequence[str], accept: Accept | None = None) -> list[Labelled]:
        """Accept or refuse images that wait.

        Args:
            digests: the beginnings of their sha256, long enough to be told apart.
            accept: makes those that are accepted a part of the dataset; None refuses them, and nothing is done with
                them any more.

        Returns:
            Those that were decided about.

        Raises:
            PodiumError: a beginning is of none that waits, or of several; or they cannot be accepted.
        """
        if not self.folder.is_dir():
            raise PodiumError(f"Nobody has labelled an image of {self.dataset} yet. `podium serve` takes labels.")
        with FileLock(self.folder / LOCK):
            waiting = self.waiting()
            chosen = [*dict.fromkeys(_find(waiting, digest, self.dataset) for digest in digests)]
            if accept:
                accept([(one.label, self.folder / IMAGES / one.file) for one in chosen])
            for one in chosen:
                decision = "accepted" if accept else "refused"
                _append({"sha256": one.sha256, "decision": decision, "label": one.label}, self.folder / REVIEWED)
        return chosen


@dataclass(frozen=True)
class Score:
    """How often a version was right about the images that people labelled.

    Attributes:
        right, images: of so many images, so many.
        accuracy: with Wilson's interval.
    """

    right: int
    images: int
    accuracy: Estimate


def score(labelled: Iterable[Labelled]) -> dict[str, Score]:
    """Count how often each version was right, by its name; an image counts once."""
    images, right = Counter[str](), Counter[str]()
    for one in labelled:
        for said in one.said:
            images[said.model] += 1
            right[said.model] += said.label == one.label
    return {model: _estimate(right[model], count) for model, count in images.items()}


def _estimate(right: int, images: int) -> Score:
    low, high = wilson(np.array(right / images), np.array(images, np.float64))
    return Score(right, images, Estimate(right / images, float(low), float(high), "Wilson"))


def _check(data: bytes) -> str:
    """Decode an image in full, and give the ending that its name shall have."""
    if len(data) > MAX_BYTES:
        raise PodiumError(f"The file has {len(data):,} bytes. Expected at most {MAX_BYTES:,}.")
    try:
        opened = open_image(data)
        if opened.width * opened.height > MAX_SERVED_PIXELS:
            raise BadImageError(f"it has {opened.width} × {opened.height} pixels, over {MAX_SERVED_PIXELS:,}")
        return SUFFIXES[inspect(data, "").format][0]
    except BadImageError as error:
        raise PodiumError(f"The image is not kept: {error}.") from None


def _find(waiting: Sequence[Labelled], digest: str, dataset: str) -> Labelled:
    found = [one for one in waiting if digest and one.sha256.startswith(digest)]
    if len(found) != 1:
        many = f"{len(found)} images that wait for review begin" if found else "No image that waits for review begins"
        raise PodiumError(f"{many} with '{digest}'. `podium feedback {dataset}` lists them.")
    return found[0]


def _append(line: object, path: Path) -> None:
    with path.open("ab+") as file:
        file.seek(0)
        whole = file.read().rfind(b"\n") + 1
        file.truncate(whole)  # what a kill left unfinished is no line
        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _read(path: Path, parse: Callable[[Any], Parsed]) -> list[Parsed]:
    """Read lines of JSON; a last one that a kill left without its end is none."""
    if not path.is_file():
        return []
    parsed = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            continue
        try:
            parsed.append(parse(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise PodiumError(
                f"{path}, line {number} is no line of podium's: {error!r}. Correct it, or take it out."
            ) from None
    return parsed


def _parse(line: Any) -> Labelled:
    said = tuple(Said(**one) for one in line.pop("said"))
    return Labelled(**line, said=said)
