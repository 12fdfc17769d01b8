"""Publishing a finished candidate, and deciding a challenge, beyond what the two models predict.

The project is sign_language with two small networks, trained for some epochs. In one process, after its imports:
`Ledger.publish` of a candidate that MLflow does not have yet, its model logged with golden images; then `promote`,
which makes a version, asks its model in a clean process whether it serves, compares it with the champion on 4,303
validation images, writes the card and moves the aliases. The last row decides about 7,172 made-up images of 24 classes
and writes the card with all its drawings: nothing is served or sent there.
"""

import json
import statistics
from collections.abc import Sequence

from bench.options import Options
from bench.report import Row, seconds
from bench.workspace import Workspace, workspace
from podium.files import remove

DURATION = "About eight minutes"

TIMES = "times.json"
PUBLISH, DECIDE = 5.0, 10.0
"""Seconds."""


def measure(options: Options) -> list[Row]:
    """Train two candidates, then publish them and let one challenge the other, in new stores each time."""
    with workspace() as project:
        project.use_sign_language()
        with project.page() as page:
            (phase,) = page["schedules"]["augmented"]["phases"]
            phase["epochs"] = options.epochs or 2
            small = dict(page["candidates"]["sign-cnn"], model={"kind": "dense", "units": [64], "dropout": 0.0})
            page["candidates"] = {"sign-cnn": page["candidates"]["sign-cnn"], "sign-dense": small}
        project.run("dvc", "repro")
        times = [_once(project) for _ in range(options.repeat(3))]
    return [
        _row("publishing a finished candidate", [one["publish"] for one in times], PUBLISH),
        _row("a challenge: version, decision, card, journal, aliases", [one["challenge"] for one in times], DECIDE),
        _row("of it: asking the model in a clean process, with TensorFlow's start", [one["probe"] for one in times]),
        _row("decision and card, 7,172 images of 24 classes", [one["decision"] for one in times], DECIDE),
    ]


def _once(project: Workspace) -> dict[str, float]:
    for store in ("mlflow.db", "mlflow-artifacts"):
        remove(project.root / store)
    project.run("python", "-m", "bench.registry_once", TIMES)
    times: dict[str, float] = json.loads((project.root / TIMES).read_text(encoding="utf-8"))
    return times


def _row(what: str, taken: Sequence[float], most: float | None = None) -> Row:
    if most is None:
        return Row(what, seconds(taken))
    return Row(what, seconds(taken), target=f"under {most:g} s", reached=statistics.median(taken) < most)
