"""A log of what was asked of a model that is served, and of what it said. Off, unless somebody sets where it goes.

PODIUM_REQUEST_LOG=FOLDER      where; each process that answers writes files of its own there
PODIUM_REQUEST_IMAGES=1        keep the images, too: the pixels that the model saw, no file, no name, no place

FOLDER/<time>-<process>-<lot>.jsonl       a line an image, in the order of the answers
FOLDER/<time>-<process>-<lot>/<line>.png  the images

This file travels with the model (`podium.tracking.packing`). A line holds no more than `LINE` says: nothing of who
asked, nothing of the file but its width and height. It is written by a thread behind the answers. What that thread
cannot do in time is left out and counted, and no fault of it ever reaches whoever asked.
"""

import atexit
import json
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any, Final

import cv2
import numpy as np

from podium.images.given import Given
from podium.images.light import measure_pixels

logger = logging.getLogger(__name__)

FOLDER: Final = "PODIUM_REQUEST_LOG"
IMAGES: Final = "PODIUM_REQUEST_IMAGES"
LINE: Final = (
    *("when", "model", "refused", "label", "probability", "unsure"),
    *("width", "height", "brightness", "contrast", "sharpness"),
)
"""What a line may hold: when (UTC, in seconds), the model, whether the image was refused; else what the model said,
the size of the image, and the light, contrast and sharpness of the pixels that the model saw. Also `dropped`: how many
requests before this one were left out.
"""
MAX_FILE_BYTES: Final = 4 << 20
"""Of a file and its images: then the next one begins."""
MAX_BYTES: Final = 1 << 27
"""128 MiB, of the folder: then the oldest files go."""
MAX_WAITING: Final = 1000
"""Requests that wait to be written; more are left out."""
LAST_SECONDS: Final = 2.0
"""That a process which ends takes for what still waits."""

_Note = tuple[str, Given | None, Mapping[str, Any], float]


class RequestLog:
    """Writes the log. Many threads may note at once, and many processes may write to one folder."""

    def __init__(self, folder: Path, *, images: bool = False) -> None:
        """Know where it goes; nothing is made before the first request.

        Args:
            folder: where.
            images: whether to keep the pixels that the model saw.
        """
        self.folder, self.images = folder, images
        self._waiting: Queue[_Note] = Queue(MAX_WAITING)
        self._lock, self._process = threading.Lock(), 0
        self._dropped = 0
        self._file: _File | None = None
        self._is_broken = False

    @classmethod
    def from_environment(cls) -> "RequestLog | None":
        """Give the log that the environment asks for, if it does."""
        folder = os.environ.get(FOLDER, "").strip()
        return cls(Path(folder).expanduser().absolute(), images=os.environ.get(IMAGES) == "1") if folder else None

    def note(self, model: str, given: Given | str, answer: Mapping[str, Any]) -> None:
        """Take note of an answer; this takes microseconds, and raises nothing.

        Args:
            model: the version: `digits/3`.
            given: the image as the model saw it; or why it was refused.
            answer: as `Classifier.answer` gives it.
        """
        if self._is_broken:
            return
        if self._process != os.getpid():
            self._begin()
        try:
            self._waiting.put_nowait((model, given if isinstance(given, Given) else None, answer, time.time()))
        except Full:
            self._dropped += 1

    def flush(self) -> None:
        """Wait until what was noted is written, at most `LAST_SECONDS`."""
        end = time.monotonic() + LAST_SECONDS
        while self._waiting.unfinished_tasks and time.monotonic() < end and not self._is_broken:
            time.sleep(0.01)

    def _begin(self) -> None:
        """Start the thread of this process; one that was forked has none."""
        with self._lock:
            if self._process == os.getpid():
                return
            self._waiting, self._file = Queue(MAX_WAITING), None
            threading.Thread(target=self._write_all, name="request log", daemon=True).start()
            atexit.register(self.flush)
            self._process = os.getpid()

    def _write_all(self) -> None:
        waiting = self._waiting
        while True:
            note = waiting.get()
            try:
                self._write(note)
            except (OSError, ValueError, cv2.error) as error:  # a full disk, a folder that is gone
                self._is_broken = True
                logger.warning("Requests are no longer logged: %s. Restart what answers to log again.", error)
                with suppress(Empty):
                    while True:
                        waiting.get_nowait()
                return
            finally:
                waiting.task_done()

    def _write(self, note: _Note) -> None:
        if self._file is None or self._file.size >= MAX_FILE_BYTES:
            if self._file:
                self._file.close()
            self._file = _File(self.folder)
            _make_room(self.folder)
        model, given, answer, when = note
        line = _describe(model, given, answer, when)
        if self._dropped:
            line["dropped"], self._dropped = self._dropped, 0
        self._file.write(line, given.pixels if self.images and given is not None else None)


class _File:
    """A file of the log, which one process alone writes."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        self._path = folder / f"{now}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._lines = self.size = 0

    def write(self, line: dict[str, Any], pixels: np.ndarray[Any, Any] | None) -> None:
        if pixels is not None:
            colours = pixels if pixels.shape[2] == 1 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
            data = cv2.imencode(".png", colours)[1].tobytes()
            images = self._path.with_suffix("")
            images.mkdir(exist_ok=True, mode=0o700)
            (images / f"{self._lines}.png").write_bytes(data)
            self.size += len(data)
        text = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        os.write(self._file, text)  # at once, and whole: a kill leaves no half of a line behind another
        self.size += len(text)
        self._lines += 1

    def close(self) -> None:
        os.close(self._file)


def _describe(model: str, given: Given | None, answer: Mapping[str, Any], when: float) -> dict[str, Any]:
    line: dict[str, Any] = {"when": round(when), "model": model}
    if given is None or answer["error"]:
        return line | {"refused": True}
    brightness, contrast, sharpness = (round(value, 3) for value in measure_pixels(given.pixels))
    return line | {
        "refused": False,
        "label": answer["label"],
        "probability": round(answer["probability"], 6),
        "unsure": answer["unsure"],
        "width": given.width,
        "height": given.height,
        "brightness": brightness,
        "contrast": contrast,
        "sharpness": sharpness,
    }


def _make_room(folder: Path) -> None:
    """Remove the oldest files, with their images, until the folder holds no more than it may."""
    files = sorted(folder.glob("*.jsonl"), reverse=True)
    held = 0
    for path in files:
        held += _size(path)
        if held > MAX_BYTES:
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            with suppress(OSError):
                path.unlink()


def _size(path: Path) -> int:
    with suppress(OSError):
        images = path.with_suffix("")
        inside = sum(one.stat().st_size for one in images.iterdir()) if images.is_dir() else 0
        return path.stat().st_size + inside
    return 0
