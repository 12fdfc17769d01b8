"""Events in, lines out: on a terminal and elsewhere."""

import io
import logging
import sys
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from flows.command import NOT_TAKEN, DisplayHandler, ServerHandler
from flows.display import DISPLAY, Display, Progress, Row, duration, open_console
from podium.errors import PodiumError, TransientError
from tests.flows.terminal import see

ROWS = [
    Row("digits", "digits-cnn", "0.9861", "0.9889", 22.13),
    Row("digits", "digits-dense", "0.9387 (± 0.0020 over 5 seeds)", "0.9499 (± 0.0031 over 5 seeds)", None),
]


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def display(log: io.StringIO) -> Display:
    return Display(open_console(log))


@pytest.fixture
def terminal() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def live(terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Display:
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    monkeypatch.delenv("TERM", raising=False)
    return Display(Console(file=terminal, force_terminal=True, width=60, highlight=False, _environ={}))


def take_a_while(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: moment + seconds)


def train(display: Display) -> None:
    with display.work("train dots-cnn", lambda: Progress(0.5, "epoch 1/2, loss 0.5000")) as work:
        work.hear("goes on after epoch 1 of 2")
        work.hear("… epoch 2/2 (fit): loss 0.2500")
        work.hear("train dots-cnn: trained cnn (seed 0), wrote models/dots-cnn/model.keras")
        work.hear("train dots-cnn: trained cnn (seed 1), wrote models/dots-cnn/repeats/1/model.keras")
        work.end("done")


def test_in_a_log_a_stage_has_its_lines_and_in_the_end_one_with_the_time(
    display: Display, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_a_while(monkeypatch, 0)
    with display, display.work("validate dots") as work:
        work.hear("… 3,000 of 25,000 images")
        work.hear("validate dots: warning: not true that all is well")
        work.hear("validate dots: read 25,000 images")
        take_a_while(monkeypatch, 3.14)
        work.end("done")
    assert work.summary == "validate dots: read 25,000 images"
    assert log.getvalue().splitlines() == [
        "validate dots … 3,000 of 25,000 images",
        "validate dots: warning: not true that all is well",
        "validate dots: read 25,000 images  3.1 s",
    ]


def test_in_a_log_nothing_is_cut_coloured_or_moved(display: Display, log: io.StringIO) -> None:
    with display:
        train(display)
        display.say("x" * 500, 1.0, "red")
        display.result(ROWS, ["digits-cnn is the first champion.", "9 of 9 stages had work to do"])
    text = log.getvalue()
    assert not [letter for letter in text if not letter.isprintable() and letter != "\n"]
    assert f"{'x' * 500}  1.0 s\n" in text
    assert "train dots-cnn: goes on after epoch 1 of 2\ntrain dots-cnn … epoch 2/2 (fit): loss 0.2500\n" in text


def test_on_a_terminal_what_only_says_how_far_it_is_does_not_stay_and_lines_are_cut(
    live: Display, terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with live:
        train(live)
        with live.work("validate dots") as work:
            work.hear("… 3,000 of 25,000 images")
            take_a_while(monkeypatch, 3.14)
            live.refresh()
            live.say("a line above")
            work.end("done")
    assert "epoch 1/2, loss 0.5000" in terminal.getvalue()
    assert "validate dots\x1b[0m 3 s  3,000 of 25,000 images" in terminal.getvalue()
    assert [line for line in see(terminal.getvalue()) if line] == [
        "train dots-cnn: goes on after epoch 1 of 2",
        "train dots-cnn: trained cnn (seed 0), wrote models/dots-cnn/model.keras",
        "train dots-cnn: trained cnn (seed 1), wrote models/d…  0.0 s",
        "a line above",
        "validate dots: done  3.1 s",
    ]
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1  # the cursor is back


@pytest.mark.parametrize("width", [40, 60, 120])
def test_the_moving_line_fits_the_terminal(width: int) -> None:
    terminal = io.StringIO()
    live = Display(Console(file=terminal, force_terminal=True, width=width, _environ={}))
    with live, live.work("train a-rather-long-name", lambda: Progress(0.25, "epoch 5/20, 15 s left, loss 0.5000")):
        pass
    frames = terminal.getvalue().split("\r\x1b[2K")
    shown = next(line for frame in frames for line in see(frame) if "epoch" in line)
    assert len(shown) <= width
    assert ("━" in shown) == (width > 100)
    assert ("loss 0.5000" in shown) == (width > 60)


def test_a_stage_that_fails_says_so_and_leaves_the_reason_for_the_end(display: Display, log: io.StringIO) -> None:
    with display, display.work("validate dots") as work:
        work.hear("validate dots: warning: not true that all is well")
        work.fail()
    assert see(log.getvalue())[:2] == [
        "validate dots: warning: not true that all is well",
        "validate dots: failed  0.0 s",
    ]


def test_a_stage_that_says_nothing_has_a_line_too(display: Display, log: io.StringIO) -> None:
    with display, display.work("added") as work:
        work.end("Bring it here")
    assert log.getvalue() == "added: Bring it here  0.0 s\n"


def test_results_are_a_table(display: Display, log: io.StringIO) -> None:
    with display:
        display.result(ROWS, ["digits-cnn is the first champion.", "9 of 9 stages had work to do"])
    assert log.getvalue().splitlines() == [
        "",
        "candidate                validation accuracy                   test accuracy  training time",
        "digits-cnn                            0.9861                          0.9889         22.1 s",
        "digits-dense  0.9387 (± 0.0020 over 5 seeds)  0.9499 (± 0.0031 over 5 seeds)               ",
        "",
        "digits-cnn is the first champion.",
        "9 of 9 stages had work to do; the run took 0.0 s.",
    ]


def test_several_datasets_are_told_apart(display: Display, log: io.StringIO) -> None:
    with display:
        display.result([*ROWS, Row("dots", "dots-cnn", "0.5", "0.5", 1.0)], ["0 of 12 stages had work to do"])
    _, head, first, *_, last, empty, end = log.getvalue().splitlines()
    assert (head.split()[0], first.split()[:2], last.split()[:2], empty) == (
        "dataset",
        ["digits", "digits-cnn"],
        ["dots", "dots-cnn"],
        "",
    )
    assert end.startswith("0 of 12 stages had work to do; ")


def test_without_results_there_is_no_table(display: Display, log: io.StringIO) -> None:
    with display:
        display.result([], ["1 of 9 stages failed"])
    assert log.getvalue() == "1 of 9 stages failed; the run took 0.0 s.\n"


def test_what_a_terminal_would_obey_is_not_passed_on(display: Display, log: io.StringIO) -> None:
    with display, display.work("validate dots") as work:
        work.hear("validate dots: \x1b[2J[red]:smile:\x07.png")
        work.end("done")
    assert log.getvalue() == "validate dots: ?[2J[red]:smile:?.png  0.0 s\n"


def test_an_encoding_that_lacks_a_letter_stops_nothing() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with Display(open_console(stream)) as display:
        train(display)
    stream.seek(0)
    assert "train dots-cnn ? epoch 2/2 (fit): loss 0.2500" in stream.read()


@pytest.mark.parametrize("silent", [DISPLAY.get, Display], ids=["a worker's", "closed"])
def test_a_display_without_a_console_shows_nothing(
    silent: Callable[[], Display], capfd: pytest.CaptureFixture[str]
) -> None:
    with silent() as display:
        train(display)
        display.result(ROWS, ["9 of 9 stages had work to do"])
    assert capfd.readouterr() == ("", "")


def test_once_closed_it_shows_nothing_more(display: Display, log: io.StringIO) -> None:
    display.close()
    display.say("late")
    assert log.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (3.14, "3.1 s"), (59.96, "1 min 0 s"), (125, "2 min 5 s"), (3900, "1 h 5 min")],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


# what libraries log --------------------------------------------------------------------------------------


@pytest.fixture
def logger(display: Display) -> logging.Logger:
    logger = logging.Logger("prefect.task_runs")
    logger.addHandler(DisplayHandler(display))
    return logger


def test_warnings_are_shown_and_news_are_not(logger: logging.Logger, log: io.StringIO) -> None:
    logger.info("Created task run")
    logger.warning("the %s is full", "disk")
    assert log.getvalue() == "the disk is full\n"


def test_what_the_display_says_of_a_stage_is_not_shown_again(logger: logging.Logger, log: io.StringIO) -> None:
    logger.error("Finished in state Failed('validate dots: not good')")
    try:
        raise TransientError("busy")
    except PodiumError:
        logger.exception("Task run failed with exception - Retries are exhausted")
    assert log.getvalue() == ""


def test_of_a_librarys_warning_the_reason_is_shown_and_no_traceback(logger: logging.Logger, log: io.StringIO) -> None:
    try:
        raise OSError("gone")
    except OSError:
        logger.warning("no metrics", exc_info=True)
    assert log.getvalue() == "no metrics\nOSError: gone\n"


def test_that_the_server_did_not_take_the_log_is_said_once(display: Display, log: io.StringIO) -> None:
    logger = logging.Logger("prefect._internal.concurrency")
    logger.addHandler(ServerHandler(display))
    for item in range(22):
        logger.error("Service %r failed to process item %r", "EventsWorker", item)
    assert log.getvalue() == f"{NOT_TAKEN} (Service 'EventsWorker' failed to process item 0)\n"


def test_a_mistake_of_ours_is_shown_with_its_traceback(logger: logging.Logger, log: io.StringIO) -> None:
    try:
        sys.intern(1)  # type: ignore[arg-type]
    except TypeError:
        logger.exception("Encountered exception during execution")
    assert "Encountered exception during execution\nTraceback" in log.getvalue()
    assert "TypeError" in log.getvalue()
