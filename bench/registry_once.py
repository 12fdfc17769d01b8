"""Publish two candidates and let the second challenge the first, timed: `python -m bench.registry_once FILE`.

A process of its own, because benches import nothing heavy: a measured process begins with its parent's peak.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from podium.config import Gate, load_params
from podium.registry.card import write_card
from podium.registry.decision import Answers, Context, Measures, Pairs
from podium.registry.gate import decide
from podium.registry.kept import KeptDecision
from podium.registry.promotion import promote
from podium.serving import probe
from podium.tracking import Ledger

DATASET, FIRST, SECOND = "sign-language", "sign-dense", "sign-cnn"
IMAGES, CLASSES = 7172, 24
Found = TypeVar("Found")


def main(target: str) -> None:
    """Time it, and write the seconds as JSON."""
    root, params = Path.cwd(), load_params()
    ledger = Ledger(root, params)
    first = ledger.publish(FIRST)
    promote(ledger.client, params, DATASET, [first], root)
    publish, second = _time(lambda: ledger.publish(SECOND))
    probes: list[float] = []
    serve = probe.probe

    def timed(*arguments: Path) -> object:
        seconds, found = _time(lambda: serve(*arguments))
        probes.append(seconds)
        return found

    probe.probe = timed  # type: ignore[assignment]
    challenge, _ = _time(lambda: promote(ledger.client, params, DATASET, [second], root))
    decision, _ = _time(decide_made_up)
    times = {"publish": publish, "challenge": challenge, "probe": sum(probes), "decision": decision}
    Path(target).write_text(json.dumps(times), encoding="utf-8")


def decide_made_up() -> None:
    """Decide about many images, and write the card."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, CLASSES, IMAGES)
    pairs = Pairs(
        ids=np.array([f"{place}.png" for place in range(IMAGES)]),
        digests=np.array([f"{place:064x}" for place in generator.permutation(IMAGES)]),
        groups=np.arange(IMAGES) // 2,
        labels=labels,
        classes=tuple(f"class {place}" for place in range(CLASSES)),
        champion=_answer(generator, labels, 0.93),
        challenger=_answer(generator, labels, 0.94),
    )
    context = Context("one", "other (version 1)", Measures({"accuracy": 0.94}), Measures({"accuracy": 0.93}))
    kept = KeptDecision(
        dataset="letters",
        number=2,
        challenger_version="2",
        challenger_run="0" * 32,
        champion_version="1",
        champion_run="1" * 32,
        rules=Gate(),
        context=context,
        decision=decide(pairs, Gate(), context),
        who="bench",
        when="2026-01-01T00:00:00+00:00",
    )
    image = generator.integers(0, 256, (28, 28, 1), np.uint8)
    with tempfile.TemporaryDirectory(prefix="podium-") as folder:
        write_card(Path(folder), kept, pairs, lambda ids: [image] * len(ids))


def _answer(generator: np.random.Generator, labels: NDArray[np.int64], right: float) -> Answers:
    hits = generator.random(IMAGES) < right
    predicted = np.where(hits, labels, (labels + 1) % CLASSES)
    return Answers(predicted, generator.random(IMAGES), np.full(IMAGES, np.nan))


def _time(work: Callable[[], Found]) -> tuple[float, Found]:
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


if __name__ == "__main__":
    main(sys.argv[1])
