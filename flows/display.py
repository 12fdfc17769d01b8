"""What a person sees of a run: a line a stage, how far long work is, and the result as a table.

On a terminal the last line moves: it says what is being done. Elsewhere there are plain lines only.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from io import TextIOWrapper
from typing import NamedTuple, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from podium.progress import PROGRESS

LOG_COLUMNS = 160
"""How wide a table may be where there is no terminal."""
BAR_COLUMNS = 30
REFRESHES_PER_SECOND = 4


class Progress(NamedTuple):
    """How far a stage is.

    Attributes:
        share: of its work, 0–1.
        text: the same in words.
    """

    share: float
    text: str


class Row(NamedTuple):
    """A candidate's result, as people read it.

    Attributes:
        dataset: its name.
        candidate: its name.
        validation: the accuracy.
        test: the accuracy.
        seconds: what its training took on this machine; None if it is not known.
    """

    dataset: str
    candidate: str
    validation: str
    test: str
    seconds: float | None


class Display:
    """Shows a run on a console; without one, nothing: what a worker does is in Prefect's log."""

    def __init__(self, console: Console | None = None, *, live: bool = True) -> None:
        """Begin.

        Args:
            console: where to write.
            live: let the last line move, if the console is a terminal.
        """
        self.ahead = ""  # what was said to be ahead of the run, once it was said
        self._console = console
        self._began = time.monotonic()
        self._spinner = Spinner("dots" if console and console.encoding.startswith("utf") else "line")
        self._works: list[Work] = []
        self._live: Live | None = None
        if live and console and console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(
                get_renderable=self._draw, console=console, transient=True, refresh_per_second=REFRESHES_PER_SECOND
            )

    def __enter__(self) -> "Display":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_live(self) -> bool:
        """Whether the last line moves."""
        return self._live is not None

    def close(self) -> None:
        """Take the moving line away. Nothing is shown any more."""
        live, self._live, self._console = self._live, None, None
        if live:
            live.stop()

    def say(self, text: str = "", seconds: float | None = None, style: str = "") -> None:
        """Write a line; on a terminal, one with a time has its text cut to the terminal's width."""
        console = self._console
        if not console:
            return
        line = _safe(text)
        line.stylize(style)
        if seconds is not None:
            spent = f"  {duration(seconds)}"
            if self._live:
                line.truncate(console.width - len(spent), overflow="ellipsis")
            line.append(spent, "dim")
        console.print(line, soft_wrap=True)

    @contextmanager
    def work(self, title: str, look: Callable[[], Progress | None] = lambda: None) -> Iterator["Work"]:
        """Be put around work, and show that it is being done.

        Args:
            title: whose it is: `train digits-cnn`.
            look: says how far it is, if that can be known.
        """
        work = Work(self, title, look)
        self._works.append(work)
        self.refresh()
        try:
            yield work
        finally:
            self._works.remove(work)
            self.refresh()

    def refresh(self) -> None:
        """Draw the moving line anew, now."""
        if live := self._live:
            live.refresh()

    def result(self, rows: Sequence[Row], sentences: Sequence[str]) -> None:
        """Show what came of a run, and how long it took.

        Args:
            rows: the candidates' results.
            sentences: who is champion and why, and last what the stages did.
        """
        console = self._console
        if console and rows:
            self.say()
            console.print(_tabulate(rows))
            self.say()
        for sentence in sentences[:-1]:
            self.say(sentence, style="bold")
        self.say(f"{sentences[-1]}; the run took {duration(time.monotonic() - self._began)}.")

    def _draw(self) -> Table | Text:
        console, works = self._console, [*self._works]
        if not works or not console:
            return Text()
        work = works[-1]
        progress = work.look()
        text = progress.text if progress else f"{time.monotonic() - work.began:.0f} s  {work.status}"
        room = console.width - len(work.title) - len(text) - 6
        grid = Table.grid(padding=(0, 1))
        cells: list[RenderableType] = [self._spinner, _safe(work.title, "bold"), _safe(text)]
        if progress and room >= BAR_COLUMNS / 3:
            cells.insert(2, ProgressBar(1, progress.share, width=min(room, BAR_COLUMNS)))
        for _ in cells:
            grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(*cells)
        return grid


class Work:
    """A stage at work: its lines, and in the end the one that says what it did."""

    def __init__(self, display: Display, title: str, look: Callable[[], Progress | None]) -> None:
        """Begin; see `Display.work`."""
        self.title, self.look, self.status, self.summary = title, look, "", ""
        self.began = time.monotonic()
        self._display = display

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.began

    def hear(self, line: str) -> None:
        """Take a line that the stage printed.

        The last one that begins with the stage's title is its summary, and is kept for the end. On a terminal, lines
        that only say how far it is are shown in the moving line.
        """
        if line.startswith(PROGRESS):
            self.status = line.removeprefix(PROGRESS)
            if self._display.is_live:
                self._display.refresh()
            else:
                self._display.say(f"{self.title} {line}")
        elif line.startswith(f"{self.title}: "):
            if self.summary:
                self._display.say(self.summary)
            self.summary = line
        else:
            self._display.say(f"{self.title}: {line}")

    def end(self, otherwise: str) -> None:
        """Write the stage's line, with its time.

        Args:
            otherwise: what to say if it said nothing of its own.
        """
        self._display.say(self.summary or f"{self.title}: {otherwise}", self.seconds)

    def fail(self) -> None:
        """Say that it failed. Why is said once, at the end of the run."""
        if self.summary:
            self._display.say(self.summary)
        self._display.say(f"{self.title}: failed", self.seconds, "red")


DISPLAY: ContextVar[Display] = ContextVar("display", default=Display())  # noqa: B039 - it shows nothing and keeps nothing
"""The display of the command that runs here. A flow hands it on to the threads of its tasks."""


def current_display() -> Display:
    """Give the display of the command that runs here; one that shows nothing where there is none.

    Flows ask this function: Prefect pickles a served flow with the globals of its module, and a ContextVar cannot be
    pickled.
    """
    return DISPLAY.get()


def open_console(stream: TextIO) -> Console:
    """Give a console that writes as it is told: colours on a terminal, plain text elsewhere."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")  # not every encoding has all that messages hold
    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        width=None if terminal else LOG_COLUMNS,
        highlight=False,
        markup=False,
        emoji=False,
    )


def duration(seconds: float) -> str:
    """Give a time for people: `3.1 s`, `2 min 5 s`, `1 h 5 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _tabulate(rows: Sequence[Row]) -> Table:
    several = len({row.dataset for row in rows}) > 1
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in (*["dataset"] * several, "candidate"):
        table.add_column(title)
    for title in ("validation accuracy", "test accuracy", "training time"):
        table.add_column(title, justify="right")
    for row in rows:
        spent = "" if row.seconds is None else duration(row.seconds)
        table.add_row(*[row.dataset] * several, row.candidate, row.validation, row.test, spent)
    return table


def _safe(text: str, style: str = "") -> Text:
    """Give a text without what a terminal obeys: messages may hold the names of a stranger's files."""
    return Text("".join(c if c.isprintable() or c == "\n" else "?" for c in text.expandtabs()), style)
