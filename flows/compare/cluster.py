"""Where trials run: a cluster of Dask's on this machine, or the workers of a scheduler somewhere else."""

import logging
import os
from collections.abc import Sequence

import dask.config
import psutil

dask.config.set({"logging.distributed": "error"})  # before the next line reads it
import distributed  # noqa: E402
from prefect_dask.task_runners import DaskTaskRunner  # noqa: E402

from flows.command import LOG_LEVEL  # noqa: E402
from podium.errors import PodiumError  # noqa: E402

BYTES_A_TRAINING = 1.5e9
"""What a small training takes, TensorFlow included; larger ones need `--workers`."""
PATIENCE_SECONDS = 10
"""That a scheduler has to answer."""


def count_workers(trials: int) -> int:
    """Give how many trainings run side by side here: one a processor, as far as memory and trials go."""
    room = int(psutil.virtual_memory().available // BYTES_A_TRAINING)
    return max(1, min(trials, len(processors()), room))


def processors() -> list[int]:
    """Give the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return [*range(os.cpu_count() or 1)]


def share_processors(workers: int) -> list[list[int]]:
    """Give each of some workers its processors; where there are more workers than processors, they take turns.

    Example:
        >>> [len(share) for share in share_processors(1)] == [len(processors())]
        True
    """
    mine = processors()
    if workers >= len(mine):
        return [[mine[number % len(mine)]] for number in range(workers)]
    each, more = divmod(len(mine), workers)
    shares, begin = [], 0
    for number in range(workers):
        end = begin + each + (number < more)
        shares.append(mine[begin:end])
        begin = end
    return shares


def local_cluster(workers: int, server: str) -> DaskTaskRunner:
    """Give a runner with a cluster of its own on this machine, as long as it is used. It listens on loopback alone.

    Args:
        workers: how many.
        server: the address of Prefect's, which may be a temporary one that workers would not find by themselves.
    """
    environment = {"PREFECT_API_URL": server}
    if LOG_LEVEL not in os.environ:
        environment["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
    return DaskTaskRunner(
        cluster_kwargs={
            "n_workers": workers,
            "threads_per_worker": 1,
            "processes": True,
            "host": "127.0.0.1",
            "dashboard_address": "127.0.0.1:0",  # with None it asks for the one that other clusters have, and complains
            "memory_limit": 0,  # Dask sees its own process, not the training in another one
            "silence_logs": logging.CRITICAL,
            "env": environment,
        }
    )


def find_cluster(address: str) -> tuple[DaskTaskRunner, int]:
    """Give a runner for the workers of a scheduler, and how many there are now.

    Raises:
        PodiumError: no scheduler answers there, or it has no workers.
    """
    try:
        with distributed.Client(address, timeout=PATIENCE_SECONDS, set_as_default=False) as client:
            workers = len(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, ValueError, TimeoutError) as error:
        raise PodiumError(
            f"No Dask scheduler answers at {address}: {error}. Expected an address such as tcp://10.0.0.5:8786, "
            "which `python -m dask scheduler` shows there."
        ) from error
    if not workers:
        raise PodiumError(
            f"The Dask scheduler at {address} has no workers. On each machine, in a clone of this project: "
            f"`python -m dask worker {address} --nthreads 1`."
        )
    return DaskTaskRunner(address=address), workers


def describe(workers: int, shares: Sequence[Sequence[int]]) -> str:
    """Say where trainings run, for people."""
    if not shares:
        return f"{workers} workers of the scheduler"
    each = len(shares[0])
    return f"{workers} worker{'s' * (workers > 1)}, {each} processor{'s' * (each > 1)} each"
