"""What the commands that run a flow in this process share: what a person sees of it, and how it is stopped."""

import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import shorten
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

import psutil

from flows.display import DISPLAY, Display, open_console
from podium.errors import PodiumError
from podium.workspace.repro import stop_running

if TYPE_CHECKING:
    from prefect.client.schemas import State

INTERRUPTED = 130
"""The exit status of a command that was stopped from the keyboard."""
NOT_TAKEN = (
    "Prefect's server did not take all of the log: its page of this run may lack parts. The results are complete."
)
MAX_REASON = 120
"""Letters of Prefect's own words for it."""
LOG_LEVEL = "PREFECT_LOGGING_LEVEL"
"""Who sets this wants to read Prefect's own log."""

PREFECT = {"prefect", "httpx", "httpcore", "websockets"}
"""The packages whose exceptions say that Prefect's server is away, or does not do its part."""


def find_libraries(error: BaseException) -> set[str]:
    """Name the packages that an exception's classes are from."""
    return {kind.__module__.partition(".")[0] for kind in type(error).__mro__}


def answer(run: Callable[[], "State[Any]"]) -> int:
    """Run a flow for a command; say what is wrong, and give the exit status.

    Args:
        run: gives the flow's state; a PodiumError and an interrupt from the keyboard are heard.
    """
    try:
        state = run()
    except PodiumError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command answers on the terminal
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    if not state.is_completed():
        print(state.message, file=sys.stderr)  # noqa: T201
        return 1
    return 0


@contextmanager
def showing(stream: TextIO) -> Iterator[Display]:
    """Show on a stream what happens within the block."""
    logging.getLogger("dvc.progress").setLevel(logging.CRITICAL)  # its bars would stand across ours
    with Display(open_console(stream), live=LOG_LEVEL not in os.environ) as display:
        token = DISPLAY.set(display)
        try:
            yield display
        finally:
            DISPLAY.reset(token)


def quieten(display: Display) -> None:
    """Show of the log of Prefect, MLflow and DVC what a person has to know. Prefect's server still gets all of it."""
    if LOG_LEVEL in os.environ:
        return
    levels = ("PREFECT_LOGGING_ROOT_LEVEL", "PREFECT_SERVER_LOGGING_LEVEL", "PREFECT_INTERNAL_LOGGING_LEVEL")
    for level in levels:
        os.environ.setdefault(level, "CRITICAL")  # of a temporary server, which shows tracebacks when it is ended
    root, handler = logging.getLogger(), DisplayHandler(display)
    root.handlers = [handler]
    for library in ("mlflow", "alembic", "dvc"):
        logger = logging.getLogger(library)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.WARNING)
    server = ServerHandler(display)
    for part in ("prefect._internal", "prefect.events"):
        logger = logging.getLogger(part)
        logger.handlers, logger.propagate = [server], False


class DisplayHandler(logging.Handler):
    """Shows warnings and errors, but not again what the display tells of a stage."""

    def __init__(self, display: Display) -> None:
        """Know where to show them."""
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record; an error with its traceback unless a server is away, of a warning the reason alone."""
        error = record.exc_info[1] if record.exc_info else None
        text = record.getMessage()
        if isinstance(error, PodiumError) or text.startswith("Finished in state "):
            return
        if error is not None and not find_libraries(error) & PREFECT:
            show = traceback.format_exception if record.levelno >= logging.ERROR else traceback.format_exception_only
            text = "\n".join([text, *(line.rstrip() for line in show(error))])
        self._display.say(text)


class ServerHandler(logging.Handler):
    """Says once that Prefect's server did not take all that it was told: of each part Prefect would write a line."""

    def __init__(self, display: Display) -> None:
        """Know where to say it."""
        super().__init__(logging.WARNING)
        self._display, self._is_said = display, False

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, at the first record."""
        if not self._is_said:
            self._is_said = True
            self._display.say(f"{NOT_TAKEN} ({shorten(record.getMessage(), MAX_REASON)})")


@contextmanager
def stopped_by_interrupt(display: Display, *, is_temporary: bool) -> Iterator[None]:
    """Have an interrupt from the keyboard end the stages at once, and say so.

    Args:
        display: has nothing to show any more then.
        is_temporary: whether Prefect's server was started for this run. It gets the same interrupt and ends by itself;
            Prefect would wait minutes for it, so the process ends without it.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        display.close()
        print("Stopped. What is done is kept; the same command goes on from there.", file=sys.stderr)  # noqa: T201
        stop_running()
        if is_temporary:
            for child in psutil.Process().children():
                child.terminate()
            sys.stdout.flush()
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
