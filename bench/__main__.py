"""Measure speed, memory and scores, and write docs/benchmarks.md: `python -m bench [NAME ...]`."""

import argparse
import signal
import sys
import time
from pathlib import Path

from bench import (
    augmentation,
    compare,
    coverage,
    digit_struct,
    duplicates,
    evaluation,
    export,
    features,
    gate,
    images,
    inventory,
    layouts,
    noop_flow,
    noop_repro,
    page,
    pipeline_tax,
    predict,
    preparation,
    registry,
    schedule,
    scores_car_damage,
    scores_cats_vs_dogs,
    scores_sign_language,
    scores_svhn,
    scores_svhn_author,
    validation,
)
from bench.measure import BenchError
from bench.options import Options
from bench.report import Row, section, write_page
from bench.workspace import ROOT, Skipped

BENCHES = {
    "noop_repro": noop_repro,
    "noop_flow": noop_flow,
    "preparation": preparation,
    "images": images,
    "digit_struct": digit_struct,
    "inventory": inventory,
    "layouts": layouts,
    "validation": validation,
    "duplicates": duplicates,
    "augmentation": augmentation,
    "features": features,
    "evaluation": evaluation,
    "coverage": coverage,
    "gate": gate,
    "registry": registry,
    "export": export,
    "predict": predict,
    "pipeline_tax": pipeline_tax,
    "schedule": schedule,
    "compare": compare,
    "page": page,
    "scores_sign_language": scores_sign_language,
    "scores_cats_vs_dogs": scores_cats_vs_dogs,
    "scores_car_damage": scores_car_damage,
    "scores_svhn": scores_svhn,
    "scores_svhn_author": scores_svhn_author,
}


def main() -> int:
    """Measure what the command line names; return the exit status, 1 if a bench failed."""
    asked = _parser().parse_args()
    unknown = [name for name in asked.names if name not in BENCHES]
    if unknown:
        print(f"There is no bench '{unknown[0]}'. There are: {', '.join(BENCHES)}.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that servers and folders go then, too
    options = Options(asked.repetitions, asked.epochs, asked.seeds)
    status = 0
    for name in asked.names or BENCHES:
        bench = BENCHES[name]
        print(f"{name}: {_first_line(bench.__doc__)}", flush=True)
        began = time.monotonic()
        try:
            rows = bench.measure(options)
        except Skipped as reason:
            rows = [Row(f"skipped: {reason}", "–")]
        except BenchError as error:
            print(error, file=sys.stderr, flush=True)
            rows, status = [Row("failed: its command's message is on the terminal that ran it", "–")], 1
        print(*rows, f"({time.monotonic() - began:.0f} s)", "", sep="\n", flush=True)
        text = section(name, bench.__doc__, rows, options.describe())
        write_page(asked.output, {name: text}, [*BENCHES])  # after each bench, so that none is lost
    return status


def _parser() -> argparse.ArgumentParser:
    lines = [f"  {name:<22}{_first_line(bench.__doc__)} {bench.DURATION}." for name, bench in BENCHES.items()]
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=f"{__doc__}\n\nbenches:\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a bench; all by default")
    parser.add_argument("--repetitions", type=_positive, metavar="N", help="instead of each bench's own number")
    parser.add_argument("--epochs", type=_positive, metavar="N", help="train for so many, for a quick look")
    parser.add_argument("--seeds", type=_seeds, default=(0, 1, 2), metavar="N,N", help="of the scores (default: 0,1,2)")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "docs" / "benchmarks.md", help="the page (default: docs/benchmarks.md)"
    )
    return parser


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return int(text)


def _seeds(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of seeds such as 0,1,2")
    return tuple(int(part) for part in parts)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
