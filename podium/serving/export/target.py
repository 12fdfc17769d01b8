"""What a target is made of: files, and for each file the runtimes that answer from it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from podium.serving.export.source import Convertible, Source
    from podium.tracking.classifier import Answer

Heads = dict[str, NDArray[np.float32]]
"""What a model answers: `label`, (n, classes) probabilities; and `box`, (n, 4) shares, if it knows boxes."""


class Runner(Protocol):
    """A runtime with a model in it. A keras.Model is one, too."""

    def predict_on_batch(self, pixels: NDArray[np.uint8]) -> Any:
        """Answer `Heads` to images (n, height, width, channels) uint8 of the model's own size."""


class Door(Protocol):
    """A way by which whole image files are answered about: it decodes them itself."""

    def answer(self, files: list[bytes]) -> "list[Answer]":
        """Answer about image files, in order."""


class MissingError(Exception):
    """Why a runtime cannot be asked on this machine; its text is a sentence."""


class UnfitError(Exception):
    """Why a model cannot be had in a form; its text is a sentence."""


@dataclass(frozen=True)
class Runtime:
    """A program that answers from a file.

    Attributes:
        title: its name, for people.
        open: starts it with the file; the block's end stops it. MissingError where it is not there.
        is_slow: it answers about the golden files only, not about a thousand arrays.
    """

    title: str
    open: Callable[[Path], AbstractContextManager[Runner]]
    is_slow: bool = False


@dataclass(frozen=True)
class File:
    """A file of a target, or a folder.

    Attributes:
        name: its name in the target's folder.
        write: writes it. UnfitError where the model cannot be had in this form.
        runtimes: that answer from it.
        is_lossy: it is not to give the same probabilities, only the same classes: see `parity.AGREEMENT`.
    """

    name: str
    write: "Callable[[Convertible, Path], None]"
    runtimes: tuple[Runtime, ...]
    is_lossy: bool = False


@dataclass(frozen=True)
class Target:
    """A form in which a version is exported.

    Attributes:
        what: it is, in a few words.
        how: it is used, in Markdown: for its README.
        files: in which it lies.
        finish: writes what else belongs into the target's folder.
        door: opens the finished folder as a way to answer about whole files, such as a page in a browser.
        door_title: its name, for people.
    """

    what: str
    how: str = ""
    files: tuple[File, ...] = field(default=())
    finish: "Callable[[Source, Path], None] | None" = None
    door: Callable[[Path], AbstractContextManager[Door]] | None = None
    door_title: str = ""
