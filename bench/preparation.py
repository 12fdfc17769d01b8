"""Preparing sign_language: the stages against a bare script that reads and saves; and every stage's peak memory.

Ours is `python -m stages preprocess sign-language`, which reads the zip, takes the split from the manifest and
writes arrays, ids and split manifest. The other is `bench/baselines/read_and_save.py`: the two tables, already
unzipped, through pandas' C engine to two pairs of .npy files, with no split, no names and no check of anything. The
second row adds to ours what the script leaves out: `download` (the zip copied, its sha256 taken) and `validate`
(every image looked at, its sha256 taken, the expectations held against them). All are whole processes, imports
included, in turn, on files that the machine has in memory already. Peaks are of single processes; 1 GB is 10⁹ bytes.
"""

import zipfile
from collections.abc import Sequence

from bench.measure import Cost, interleave
from bench.options import Options
from bench.report import Row, compare
from bench.workspace import SIGN_LANGUAGE, Workspace, sample, workspace

DURATION = "About three minutes"

SCRIPT = "bench/baselines/read_and_save.py"
TABLES = ("sign_mnist_train.csv", "sign_mnist_test.csv")
PREPARING = ("download", "validate", "preprocess")
LIMIT = 1e9
"""Bytes that a stage without TensorFlow may take."""


def measure(options: Options) -> list[Row]:
    """Compare the stages with the script, then run the rest of the stages for their peaks."""
    archive = sample(SIGN_LANGUAGE)
    with workspace() as project:
        project.use_sign_language()
        with project.page() as page:
            for phase in page["schedules"]["augmented"]["phases"]:
                phase["epochs"] = 1
        tables = project.root / "tables"
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(tables, TABLES)
        ours, other = interleave(
            lambda: prepare(project),
            lambda: project.run("python", SCRIPT, str(tables), str(project.root / "arrays")),
            options.repeat(5),
        )
        later = {
            name: [project.run("python", "-m", "stages", name, "sign-cnn")]
            for name in ("train", "evaluate", "confusion_matrix")
        }
    by_stage = {name: [costs[name] for costs in ours] for name in PREPARING}
    whole = [sum((costs[name] for name in PREPARING), start=Cost(0, 0, 0)) for costs in ours]
    return [
        compare("`preprocess` against the script", by_stage["preprocess"], other, 1.3),
        compare("`download`, `validate` and `preprocess` against the script", whole, other),
        *(_peak(name, costs) for name, costs in (by_stage | later).items()),
        Row("peak memory of the script", "–", _megabytes(other)),
    ]


def prepare(project: Workspace) -> dict[str, Cost]:
    """Run the three stages of a dataset; give the cost of each."""
    return {name: project.run("python", "-m", "stages", name, "sign-language") for name in PREPARING}


def _peak(name: str, costs: Sequence[Cost]) -> Row:
    if name in ("train", "evaluate"):
        return Row(f"peak memory of `{name}` (TensorFlow)", _megabytes(costs))
    reached = max(cost.peak for cost in costs) <= LIMIT
    return Row(f"peak memory of `{name}`", _megabytes(costs), target=f"at most {LIMIT / 1e9:g} GB", reached=reached)


def _megabytes(costs: Sequence[Cost]) -> str:
    return f"{max(cost.peak for cost in costs) / 1e6:,.0f} MB"
