"""Predicting: one image through the predictor against the bare model call, and a folder against its parts.

All of it in one process a model, warm, in turn, single images call by call and folders by 500 images. The models are
the cats/dogs tutorial's size (three convolutions of 32, 64 and 128 channels on 100 × 100 gray) and MobileNet at 224 ×
224 in colour, with weights by chance; the images are JPEGs of 224 × 224 pixels in a folder. One image is its bytes for
the predictor, and an array for `predict_on_batch`: so the predictor's time holds decoding, proof and naming. For a
folder, bare decode is OpenCV in threads, in which nothing is proved; bare predict is Keras's `predict` on all arrays,
which are in memory. Each of these has all processors for itself, while the predictor decodes beside the model, so the
two compete. The published way is `load_img` and `predict`, image by image. Of rates, higher is better.
"""

import json
from collections.abc import Sequence
from statistics import median
from typing import Any

from bench.measure import ratios
from bench.options import Options
from bench.report import Row
from bench.workspace import Workspace, workspace

DURATION = "About ten minutes"

TIMES = "times.json"
COUNTS = {"cnn": 10_000, "mobilenet": 500}
"""Images in the folder, by model."""
ONE, MANY = 1.3, 0.8


def measure(options: Options) -> list[Row]:
    """Measure each model in a process of its own."""
    with workspace() as project:
        return [row for model, count in COUNTS.items() for row in _measure(project, model, count, options.repeat(3))]


def _measure(project: Workspace, model: str, count: int, times: int) -> list[Row]:
    project.run("python", "-m", "bench.predict_once", model, str(count), str(times), TIMES)
    found: dict[str, Any] = json.loads((project.root / TIMES).read_text(encoding="utf-8"))
    low, middle, high = ratios(found["first"], found["bare_first"])
    slower = "decode" if median(found["decode"]) > median(found["predict"]) else "predict"
    both = [sum(pair) for pair in zip(found["decode"], found["predict"], strict=True)]
    title = f"{model}, {count:,} images"
    return [
        Row(
            f"{model}, one image, against `predict_on_batch`",
            *(
                _milliseconds(found["first"]),
                _milliseconds(found["bare_first"]),
                f"**{middle:.2f}** ({low:.2f}–{high:.2f})",
            ),
            *(f"at most {ONE:g}", middle <= ONE),
        ),
        Row("the same, against `predict`", *(_milliseconds(found[name]) for name in ("first", "usual_first"))),
        _faster(f"{title}, against bare {slower}, the slower part", count, found["many"], found[slower], MANY),
        _faster(f"{title}, against the other part", count, found["many"], found[_other(slower)]),
        _faster(f"{title}, against both parts after each other", count, found["many"], both),
        Row(
            f"{title}, against the published way",
            *(_rate(count, found["many"]), _rate(found["slow"], found["published"])),
            f"{count / median(found['many']) / (found['slow'] / median(found['published'])):.1f}",
        ),
    ]


def _other(part: str) -> str:
    return "predict" if part == "decode" else "decode"


def _faster(what: str, count: int, ours: Sequence[float], other: Sequence[float], least: float | None = None) -> Row:
    low, middle, high = ratios(other, ours)  # the ratio of rates is that of the seconds, turned over
    ratio = f"**{middle:.2f}** ({low:.2f}–{high:.2f})"
    if least is None:
        return Row(what, _rate(count, ours), _rate(count, other), ratio)
    return Row(what, _rate(count, ours), _rate(count, other), ratio, f"at least {least:g}", middle >= least)


def _rate(count: int, taken: Sequence[float]) -> str:
    return f"{count / median(taken):,.0f} images/s"


def _milliseconds(taken: Sequence[float]) -> str:
    return f"{1000 * median(taken):.1f} ms ({1000 * min(taken):.1f}–{1000 * max(taken):.1f})"
