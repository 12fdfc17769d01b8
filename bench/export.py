"""An exported model against Keras's own predict: how fast a runtime answers about one image, and what its file weighs.

Each model is one of the recipes, converted as `podium export` does it, with weights by chance: what they are does not
matter here. A runtime is asked about one image alone, with as many threads as the machine has processors; the runtimes
take turns with `predict_on_batch` of Keras in one process, so that a slow minute hits both. Milliseconds are medians of
20 calls, the ratio is that to Keras; sizes are of 10⁶ bytes.
"""

import json
import subprocess
import sys
from statistics import median
from typing import Any

from bench.measure import BenchError, ratios
from bench.options import Options
from bench.report import Row
from bench.workspace import ROOT

DURATION = "About three minutes"

MODELS = ("digits/digits-cnn/10", "car_damage/car-mobilenet/8")
"""Recipe, candidate and number of classes: the small network, and MobileNet at 224."""


def measure(options: Options) -> list[Row]:
    """Measure each model in a process of its own."""
    return [row for model in MODELS for row in _rows(_once(model, options.repeat(5)))]


def _once(model: str, repetitions: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "bench.export_once", model, str(repetitions)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"{' '.join(command)} ended with status {done.returncode}:\n{done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _rows(found: list[dict[str, Any]]) -> list[Row]:
    rows = []
    for one in found:
        low, middle, high = ratios(one["ours"], one["other"])
        size = f"{one['bytes'] / 1e6:.2f} MB"
        rows.append(
            Row(
                f"{one['model']}, {one['runtime']}, {size}",
                f"{median(one['ours']):.3g} ms",
                f"{median(one['other']):.3g} ms",
                f"**{middle:.2g}** ({low:.2g}–{high:.2g})",
            )
        )
    return rows
