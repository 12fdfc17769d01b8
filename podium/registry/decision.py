"""A decision of the gate: what went into it and what came out, as it is kept, read again and decided again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from podium.errors import PodiumError

Verdict = Literal["promote", "keep", "undecided"]
_META = b"podium"
_ANSWERS = ("predicted", "loss", "overlap")


@dataclass(frozen=True)
class Answers:
    """What one model said of each image of a comparison.

    Attributes:
        predicted: (n,) int64 classes.
        losses: (n,) float64, the cross-entropy in nats.
        overlaps: (n,) float64, intersection over union of the predicted and the true box; NaN where there is none.
    """

    predicted: NDArray[np.int64]
    losses: NDArray[np.float64]
    overlaps: NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """What the champion and a challenger said of the same images.

    Attributes:
        ids: (n,) as in the manifest.
        digests: (n,) the sha256 of each image.
        groups: (n,) int64, the group of near-duplicates of each image.
        labels: (n,) int64, the true classes.
        classes: their names, in the order of the labels.
        champion: what the champion said.
        challenger: what the challenger said.
    """

    ids: NDArray[np.str_]
    digests: NDArray[np.str_]
    groups: NDArray[np.int64]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    champion: Answers
    challenger: Answers

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digest(self) -> str:
        """The sha256 of the images' sorted sha256s, one a line: the same set has the same."""
        return sha256("".join(f"{one}\n" for one in sorted(self.digests.tolist())).encode()).hexdigest()

    @property
    def differ(self) -> NDArray[np.bool_]:
        """(n,) whether the two models name different classes."""
        differ: NDArray[np.bool_] = self.champion.predicted != self.challenger.predicted
        return differ


@dataclass(frozen=True)
class Measures:
    """What is known of one model by itself.

    Attributes:
        metrics: of the validation split, by the names of `Gate.metric`.
        ece: the expected calibration error on it; None if it was not measured.
        model_bytes: the size of its file.
        p95_ms: the 95th percentile of the milliseconds for one image alone; None if it was not measured.
        peak_mb: the most memory of the process that served it, in megabytes; None if it was not measured.
        machine: which one these two are of.
        fault: why it does not serve in a clean process, in a sentence; empty if it does.
    """

    metrics: dict[str, float]
    ece: float | None = None
    model_bytes: int | None = None
    p95_ms: float | None = None
    peak_mb: float | None = None
    machine: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Context:
    """What the gate has to know beside the pairs.

    Attributes:
        challenger: its name for people, with its version: `digits-cnn (version 4)`.
        champion: likewise; None if there is none yet.
        measures: of the challenger.
        champion_measures: None where there is no champion, or nothing is known of it.
        candidates: the challenger was chosen on the validation images as the best of so many.
        epochs: its weights were chosen on them among so many epochs; 1 if they were not.
        number: this is the so-manieth decision on these images, counted from 1.
        newer_data: the challenger was trained on newer data than the champion.
        incomparable: why the two cannot be compared, in a sentence; empty if they can.
        left_out: images that do not count, by reason.
    """

    challenger: str
    champion: str | None
    measures: Measures
    champion_measures: Measures | None = None
    candidates: int = 1
    epochs: int = 1
    number: int = 1
    newer_data: bool = False
    incomparable: str = ""
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Test:
    """The comparison of the two models.

    Attributes:
        metric: what was compared.
        champion, challenger: the value of each, on the same images.
        difference, low, high: the challenger's value less the champion's, with its 95 % interval; None if it has none.
        p_value: how often equal models would show as great a gain or a greater; one-sided.
        threshold: below which p-value the gain counts as shown: what is left of the error after all that it pays for.
        images, groups: how many images, and groups of near-duplicates, were compared.
        gained, lost: in how many groups the challenger has more hits than the champion, and fewer.
        worse_p_value: how often a model worse by the margin would do as well or better; None without a margin.
        method: of interval and test, in words.
    """

    metric: str
    champion: float
    challenger: float
    difference: float
    low: float | None
    high: float | None
    p_value: float
    threshold: float
    images: int
    groups: int
    gained: int
    lost: int
    worse_p_value: float | None
    method: str


@dataclass(frozen=True)
class Harm:
    """A class on which the challenger is worse than the champion.

    Attributes:
        name: the class.
        champion, challenger: the recall of each.
        images: how many images the class has here.
        p_value: of equal models that differ by as much, one-sided, corrected for the number of classes.
        shown: whether that is below the error: then the class vetoes.
    """

    name: str
    champion: float
    challenger: float
    images: int
    p_value: float
    shown: bool


@dataclass(frozen=True)
class Floor:
    """One thing that a challenger must reach whatever the champion does.

    Attributes:
        name: `minimum accuracy`, `servable`, `latency`.
        value, limit: in words, with units.
        holds: whether it is reached; None if no limit was asked for, or it could not be measured.
    """

    name: str
    value: str
    limit: str
    holds: bool | None


@dataclass(frozen=True)
class Decision:
    """What the gate decided, and why.

    Attributes:
        verdict: the challenger takes the champion's place, or the champion stays, or the images cannot tell.
        ground: one word for scripts: `first`, `better`, `not_worse`, `not_better`, `harm`, `floor`, `too_few_images`,
            `incomparable`.
        reason: one or two sentences for people.
        test: the comparison; None where there was none.
        harms: the classes on which the challenger is worse, the surest first.
        floors: all that were looked at.
        missing: about how many images more would decide it; None where that is not the question.
        spent: how much of the error this decision took, over all its comparisons.
    """

    verdict: Verdict
    ground: str
    reason: str
    test: Test | None = None
    harms: tuple[Harm, ...] = ()
    floors: tuple[Floor, ...] = ()
    missing: int | None = None
    spent: float = 0.0

    @property
    def promoted(self) -> bool:
        """Whether the challenger takes the champion's place."""
        return self.verdict == "promote"


def to_dict(one: Measures | Context | Decision) -> dict[str, Any]:
    """Give what JSON holds of it."""
    return asdict(one)


def read_context(known: Mapping[str, Any]) -> Context:
    """Give the context that `to_dict` wrote."""
    champion = known["champion_measures"]
    return Context(
        **{
            **known,
            "measures": Measures(**known["measures"]),
            "champion_measures": None if champion is None else Measures(**champion),
        }
    )


def read_decision(known: Mapping[str, Any]) -> Decision:
    """Give the decision that `to_dict` wrote."""
    return Decision(
        **{
            **known,
            "test": None if known["test"] is None else Test(**known["test"]),
            "harms": tuple(Harm(**one) for one in known["harms"]),
            "floors": tuple(Floor(**one) for one in known["floors"]),
        }
    )


def save_pairs(pairs: Pairs, path: Path) -> None:
    """Write pairs as a Parquet file; the same pairs give the same bytes."""
    columns: dict[str, Any] = {
        "id": pa.array(pairs.ids.tolist()),
        "sha256": pa.array(pairs.digests.tolist()),
        "group": pairs.groups,
        "actual": pairs.labels,
    }
    for model in ("champion", "challenger"):
        answers: Answers = getattr(pairs, model)
        values = (answers.predicted, answers.losses, answers.overlaps)
        columns |= {f"{model}_{name}": column for name, column in zip(_ANSWERS, values, strict=True)}
    meta = {_META: json.dumps({"classes": pairs.classes}).encode()}
    parquet.write_table(pa.table(columns).replace_schema_metadata(meta), path, compression="zstd")


def load_pairs(path: Path) -> Pairs:
    """Read what `save_pairs` wrote.

    Raises:
        PodiumError: there is no such file, or it holds no pairs.
    """
    try:
        table = parquet.read_table(path, use_threads=False)
        classes = tuple(json.loads(table.schema.metadata[_META])["classes"])
        answers = [
            Answers(*(table[f"{model}_{name}"].to_numpy() for name in _ANSWERS)) for model in ("champion", "challenger")
        ]
        return Pairs(
            ids=table["id"].to_numpy().astype(str),
            digests=table["sha256"].to_numpy().astype(str),
            groups=table["group"].to_numpy(),
            labels=table["actual"].to_numpy(),
            classes=classes,
            champion=answers[0],
            challenger=answers[1],
        )
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise PodiumError(f"{path} does not hold the answers of two models that this podium wrote.") from error
