import threading
import time
from collections.abc import Iterator

import pytest

from podium.images import parallel as workers
from podium.images.parallel import CHUNK_ITEMS, map_in_order


def busy() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(workers.THREAD_NAME_PREFIX)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_the_items_order(count: int) -> None:
    def slow_at_first(number: int) -> int:
        time.sleep(0.01 if number < CHUNK_ITEMS else 0)
        return number * 2

    got = [*map_in_order(slow_at_first, range(5 * CHUNK_ITEMS + 3), lambda _: 1, count)]
    assert got == [2 * number for number in range(5 * CHUNK_ITEMS + 3)]


def test_few_items_are_read_ahead() -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(10_000):
            read.append(number)
            yield number

    results = map_in_order(lambda number: number, items(), lambda _: 1, 2)
    next(results)
    assert len(read) <= 6 * CHUNK_ITEMS
    results.close()
    assert not busy()


def test_large_items_make_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "CHUNK_BYTES", 100)
    read = []

    def items() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    next(map_in_order(lambda number: number, items(), lambda _: 60, 1))
    assert len(read) <= 6


def test_a_mistake_in_one_item_ends_it() -> None:
    def fail(number: int) -> int:
        if number == 100:
            raise ValueError("number 100")
        return number

    with pytest.raises(ValueError, match="number 100"):
        list(map_in_order(fail, range(100_000), lambda _: 1, 3))
    assert not busy()
