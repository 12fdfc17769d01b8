"""How far long work is: a bar on a terminal, a line now and then where there is none."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

LOG_INTERVAL_SECONDS = 10.0
"""Between two lines."""

PROGRESS = "… "
"""How a line begins that only says how far long work is. On a terminal the next line may replace it."""


def show_progress(items: Iterable[Item], unit: str, total: int | None = None, done: int = 0) -> Iterator[Item]:
    """Give the items on, and show how many went by.

    Args:
        items: what goes by.
        unit: what they are, for people: `images`.
        total: how many there are altogether, where that is known.
        done: how many an earlier run did.
    """
    if sys.stderr.isatty():
        yield from tqdm(items, total=total, initial=done, unit=f" {unit}", leave=False)
        return
    said = time.monotonic()
    for count, item in enumerate(items, start=done + 1):
        yield item
        if time.monotonic() - said > LOG_INTERVAL_SECONDS:
            said = time.monotonic()
            logger.info("%s%s %s%s", PROGRESS, f"{count:,}", f"of {total:,} " if total else "", unit)
