"""One training on a worker of Dask's, in an isolated clone of its own."""

import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Lock

from distributed import get_worker
from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas import State
from prefect.states import Completed, Failed

from flows.compare.plan import Trial
from podium.errors import PodiumError
from podium.paths import LOCK, PARAMS, project_root
from podium.workspace.clone import isolated_clone
from podium.workspace.exchange import bring_inputs, send_outputs
from podium.workspace.repro import reproduce

_DVC = Lock()
"""In one process DVC is asked by one thread at a time; it is not made for several."""
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""TensorFlow's own switches."""


@dataclass(frozen=True)
class Source:
    """What every trial begins with.

    Attributes:
        commit: of the code.
        lock: the project's `dvc.lock`, which knows the datasets.
        remote: the DVC remote by which machines give data and results to each other; None: they share a cache.
        shares: of the processors, one for each worker of a local cluster; none where workers are others' matter.
        threads: how many TensorFlow is to use, as it does in the project itself; 0: as many as it likes.
    """

    commit: str
    lock: str
    remote: str | None = None
    shares: Sequence[Sequence[int]] = ()
    threads: int = 0


@dataclass(frozen=True)
class Trained:
    """What came of a trial.

    Attributes:
        lock: the clone's `dvc.lock`, which names the outputs in the cache.
        seconds: what it took.
        restored: the run-cache had it.
        where: the machine.
    """

    lock: str
    seconds: float
    restored: bool
    where: str


@task(task_run_name="train@{trial.title}", cache_policy=NO_CACHE)
def train(trial: Trial, source: Source) -> State[Trained]:
    """Train, evaluate and draw one candidate, as its page asks for it. DVC's run-cache has it then."""
    try:
        trained = run_trial(trial, source, get_run_logger().info)
    except PodiumError as error:
        return Failed(message=f"{trial.title}: {error}")
    return Completed(message=f"{trained.seconds:.1f} s", data=trained)


def run_trial(trial: Trial, source: Source, say: Callable[[str], None]) -> Trained:
    """Do the same without Prefect, which gives workers a copy of its tasks with all that their modules hold.

    Raises:
        PodiumError: the clone cannot be made, a stage failed, or the remote did.
    """
    began = time.monotonic()
    root = project_root()
    limit_processors(source)
    logging.getLogger("dvc.progress").setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        with _DVC:
            clone = stack.enter_context(isolated_clone(root, source.commit))
            (clone / PARAMS).write_text(trial.page, encoding="utf-8")
            (clone / LOCK).write_text(source.lock, encoding="utf-8")
            bring_inputs(clone, trial.stages, source.remote)
        ran = reproduce(clone, trial.stages, say)
        if source.remote:
            with _DVC:
                send_outputs(clone, trial.stages, source.remote)
        lock = (clone / LOCK).read_text(encoding="utf-8")
    return Trained(lock, time.monotonic() - began, not ran, socket.gethostname())


def limit_processors(source: Source) -> None:
    """Keep this thread, and the processes that it starts, to the share of the processors that its worker has.

    TensorFlow is told to use as many threads as in the project itself, since their number decides in which order it
    adds: the same bytes come out, only on fewer processors.
    """
    if source.shares and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, source.shares[int(get_worker().name) % len(source.shares)])
        for switch in THREADS:
            os.environ.setdefault(switch, str(source.threads))
