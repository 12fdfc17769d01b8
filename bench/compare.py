"""Many candidates at once: Dask's workers against bare processes, and what 64 workers cost that have nothing to do.

Six candidates of digits are trained, evaluated and drawn. Ours is `podium sweep` with two workers against one worker,
each with one processor: whole commands with a Prefect server that is up, in fresh clones whose datasets are ready;
clones, cluster, MLflow, restoring and ranking are in it. The other is the same stages without all that: two shells
side by side against one shell, each on one processor. What counts is the share of the bare speed-up that ours reaches;
starting and ending a sweep is not shared among workers, and weighs less the longer the trainings are.

The overhead is a grid of 64 values of a candidate whose stages only copy what was made before, on 64 threads of Dask's
workers that stand for 64 machines: everything that it takes, by candidate. All of it runs on the processors of this one
machine, so 64 machines would share the part of the workers.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from statistics import median
from typing import Any

import yaml

from bench.measure import BenchError
from bench.noop_flow import prefect_server
from bench.options import Options
from bench.report import Row, seconds
from bench.workspace import Workspace, workspace

DURATION = "About 25 minutes"

CANDIDATES = tuple(f"digits-{number}" for number in range(6))
EPOCHS = 20
STAGES = ("train", "evaluate", "confusion_matrix")
SHARE = 0.9
"""Of the bare speed-up."""
SIMULATED, PROCESSES = 64, 4
"""Workers, and the processes that they are threads of."""
OVERHEAD = 2.0
"""Seconds a candidate."""
PATIENCE = 60
"""Seconds that Dask has to start."""
TRIVIAL = "trivial.sh"


def measure(options: Options) -> list[Row]:
    """Measure the speed-ups, then the overhead."""
    one, two, bare_one, bare_two = [], [], [], []
    for _ in range(options.repeat(2)):
        one.append(sweep(1, options.epochs or EPOCHS))
        two.append(sweep(2, options.epochs or EPOCHS))
        bare_one.append(bare(1, options.epochs or EPOCHS))
        bare_two.append(bare(2, options.epochs or EPOCHS))
    ours, other = median(one) / median(two), median(bare_one) / median(bare_two)
    overheads = [simulate() for _ in range(options.repeat(1))]
    return [
        Row("six candidates one after the other", seconds(one), seconds(bare_one)),
        Row("six candidates, two side by side", seconds(two), seconds(bare_two)),
        Row(
            "how many times as fast",
            *(f"{ours:.2f}", f"{other:.2f}", f"**{ours / other:.2f}**"),
            target=f"at least {SHARE:g}",
            reached=ours / other >= SHARE,
        ),
        Row(
            f"overhead by candidate, {SIMULATED} candidates on {SIMULATED} simulated workers",
            seconds(overheads),
            target=f"under {OVERHEAD:g} s",
            reached=max(overheads) < OVERHEAD,
        ),
    ]


@contextmanager
def prepared(names: Sequence[str], epochs: int) -> Iterator[Workspace]:
    """Give a clone with these candidates on its page, committed, and its dataset ready."""
    with workspace() as project:
        project.use("digits")
        with project.page() as page:
            page["schedules"]["augmented"]["phases"][0]["epochs"] = epochs
            like = page["candidates"]["digits-cnn"]
            page["candidates"] = {
                name: dict(like, model=dict(like["model"], dropout=round(0.1 + 0.01 * number, 2)))
                for number, name in enumerate(names)
            }
        commit(project)
        project.run("dvc", "repro", "preprocess@digits")
        yield project


def commit(project: Workspace) -> None:
    project.run("git", "add", "--all")
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.invalid")
    project.run("git", *who, "commit", "--quiet", "--allow-empty", "--message", "to be measured")


def sweep(workers: int, epochs: int) -> float:
    """Give the seconds of the command with so many workers, each with one processor."""
    with prepared(CANDIDATES, epochs) as project, prefect_server(project):
        pinned = () if workers > 1 else ("taskset", "-c", "0")
        return project.run(*pinned, "python", "-m", "podium.cli", "sweep", "--workers", str(workers)).wall


def bare(shells: int, epochs: int) -> float:
    """Give the seconds of so many shells side by side, each on a processor of its own."""
    with prepared(CANDIDATES, epochs) as project:

        def work(number: int) -> None:
            lines = [f"python -m stages {stage} {name}" for name in CANDIDATES[number::shells] for stage in STAGES]
            project.run("taskset", "-c", str(number), "sh", "-ec", "\n".join(lines))

        began = time.perf_counter()
        with ThreadPoolExecutor(shells) as pool:
            list(pool.map(work, range(shells)))
        return time.perf_counter() - began


def simulate() -> float:
    """Give the seconds a candidate of a sweep whose stages only copy."""
    grid = f"candidates.like.model.dropout=range(0.01,{0.01 * (SIMULATED + 0.5)},0.01)"
    with prepared(["like"], 1) as project:
        project.run("dvc", "repro")
        copy_only(project, "like")
        commit(project)
        with prefect_server(project), cluster(project) as address:
            cost = project.run("python", "-m", "podium.cli", "sweep", "--scheduler", address, "-S", grid)
        return cost.wall / SIMULATED


def copy_only(project: Workspace, like: str) -> None:
    """Let the stages of candidates copy what was made of one, which is put aside in git."""
    path = project.root / "dvc.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    cases = []
    for stage in STAGES:
        do = content["stages"][stage]["do"]
        do["cmd"] = f"sh {TRIVIAL} {stage} ${{key}}"
        lines = []
        for one in (*do["outs"], *do.get("metrics", ()), *do.get("plots", ())):
            place = (one if isinstance(one, str) else next(iter(one))).replace("${item.dataset}", "digits")
            kept = Path("prepared") / place.replace("${key}", like)
            (project.root / kept).parent.mkdir(parents=True, exist_ok=True)
            made = project.root / place.replace("${key}", like)
            (shutil.copytree if made.is_dir() else shutil.copyfile)(made, project.root / kept)
            target = place.replace("${key}", "$2")
            lines.append(f'mkdir -p "{Path(target).parent}" && cp -r "{kept}" "{target}"')
        cases.append(f"{stage})\n" + "\n".join(lines) + "\n;;")
    script = "set -e\ncase $1 in\n" + "\n".join(cases) + "\nesac\n"
    (project.root / TRIVIAL).write_text(script, encoding="utf-8")
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


@contextmanager
def cluster(project: Workspace) -> Iterator[str]:
    """Run a Dask scheduler with its workers in the workspace, and give its address."""
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    threads = ("--nworkers", str(PROCESSES), "--nthreads", str(SIMULATED // PROCESSES))
    scheduler = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    workers = ("--memory-limit", "0", *threads, "--no-dashboard")
    with (
        project.running(sys.executable, "-m", "dask", "scheduler", *scheduler),
        project.running(sys.executable, "-m", "dask", "worker", address, *workers),
    ):
        wait_for_workers(address)
        yield address


def wait_for_workers(address: str) -> None:
    """Wait until all workers are there, in a process of its own: a measured one begins with our peak of memory."""
    client = f"distributed.Client({address!r}, timeout={PATIENCE})"
    code = f"import distributed; {client}.wait_for_workers({PROCESSES}, {PATIENCE})"
    if subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode:
        raise BenchError(f"Dask's workers did not start within {PATIENCE} s.")


if __name__ == "__main__":
    print(simulate())
