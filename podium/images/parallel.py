"""Work on many images at once, in an order that never depends on how many workers there are."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import cv2

Item = TypeVar("Item")
Result = TypeVar("Result")

THREAD_NAME_PREFIX = "podium-worker"

CHUNK_ITEMS = 32
"""Items that a worker takes at a time."""
CHUNK_BYTES = 1 << 23
"""8 MiB: a chunk of larger items ends before."""


def map_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    weigh: Callable[[Item], int],
    workers: int | None = None,
) -> Iterator[Result]:
    """Apply a function to items in threads, and give its results in the items' order.

    Threads suffice because decoders and resizers leave Python's lock alone. Few items are in memory at a time.

    Args:
        function: what to do with one item.
        items: read as they are needed.
        weigh: the size of an item in bytes.
        workers: how many threads; 1 is the caller's own. By default one for each processor that may be used, and
            one more, as there is always one that waits (measured: 5 % faster).
    """
    count = workers or count_processors() + 1
    if count == 1:
        yield from map(function, items)
        return
    cv2.setNumThreads(1)  # a small image is not worth several threads; the images are
    waiting: deque[Future[list[Result]]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix=THREAD_NAME_PREFIX) as pool:
        try:
            for chunk in _chunks(items, weigh):
                waiting.append(pool.submit(lambda some: [function(item) for item in some], chunk))
                if len(waiting) > 2 * count:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def count_processors() -> int:
    """Count those that this process may use; a container or `taskset` may allow fewer than there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _chunks(items: Iterable[Item], weigh: Callable[[Item], int]) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    weight = 0
    for item in items:
        chunk.append(item)
        weight += weigh(item)
        if len(chunk) == CHUNK_ITEMS or weight > CHUNK_BYTES:
            yield chunk
            chunk, weight = [], 0
    if chunk:
        yield chunk
