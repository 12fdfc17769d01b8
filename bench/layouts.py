"""What `podium init` makes of archives whose truth is known: random layouts, and shapes of real datasets.

The random ones are those of the tests (tests/podium/datasets/layouts); the shapes are test data with a truth each.
*read*: every image has its true label and part, and no other file became an image. *refused*: a message says why not,
or asks. *told*: something differs, and that is said. *wrong*: something differs, and nothing is said.
"""

import json

from bench.options import Options
from bench.report import Row
from bench.workspace import Workspace, workspace

DURATION = "About three minutes"

LAYOUTS = 500
LEAST_CASES_READ = 52

COUNT = """
import json, logging, os, shutil, sys, tempfile
from collections import Counter
from pathlib import Path
from tests.podium.datasets.layouts.generator import make_layout
from tests.podium.datasets.layouts.judging import cases, judge_case, look
logging.disable(logging.CRITICAL)
here, counts = Path.cwd(), Counter()
what = range(int(sys.argv[1])) if sys.argv[1] != "cases" else cases()
for each in what:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if isinstance(each, int):
            counts[look(make_layout(each, place), place / "raw").verdict] += 1
            continue
        shutil.copy(here / "params.yaml", place)
        os.chdir(place)
        counts[judge_case(each, place).verdict] += 1
        os.chdir(here)
Path(sys.argv[2]).write_text(json.dumps(counts))
"""


def measure(_: Options) -> list[Row]:
    """Read all of them."""
    with workspace() as project:
        random = _count(project, str(LAYOUTS))
        real = _count(project, "cases")
    rows = [_row(f"{LAYOUTS} random layouts", random, "none wrong", random.get("wrong", 0) == 0)]
    if real:
        good = real.get("wrong", 0) == 0 and real.get("read", 0) >= LEAST_CASES_READ
        total = sum(real.values())
        rows.append(_row(f"{total} shapes of real datasets", real, f"none wrong, {LEAST_CASES_READ} read", good))
    return rows


def _count(project: Workspace, what: str) -> dict[str, int]:
    result = project.root / f"counts-{what}.json"
    project.run("python", "-c", COUNT, what, str(result))
    counts: dict[str, int] = json.loads(result.read_text(encoding="utf-8"))
    return counts


def _row(name: str, counts: dict[str, int], target: str, reached: bool) -> Row:
    shown = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in ("read", "refused", "told", "wrong"))
    return Row(name, shown, "–", "–", target, reached)
