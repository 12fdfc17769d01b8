"""Silence for what native code writes to standard error, where nobody can tell it not to."""

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_GREETINGS = (
    b"oneDNN custom operations are on",
    b"All log messages before absl::InitializeLog()",
    b"This TensorFlow binary is optimized",
    b"To enable the following instructions",
)


@contextmanager
def without_greetings() -> Iterator[None]:
    """Hold back what native code writes to standard error, and afterwards pass on all but TensorFlow's greetings."""
    with tempfile.TemporaryFile() as held:
        try:
            with _holding_back(held):
                yield
        finally:
            held.seek(0)
            for line in held:
                if not any(greeting in line for greeting in _GREETINGS):
                    os.write(2, line)


@contextmanager
def hushed() -> Iterator[None]:
    """Drop what converters say on the way, Python's warnings included: what matters of it is in what they raise."""
    with tempfile.TemporaryFile() as held, warnings.catch_warnings(), _holding_back(held):
        warnings.simplefilter("ignore")  # tf2onnx and Keras speak of NumPy's names
        yield


@contextmanager
def _holding_back(held: IO[bytes]) -> Iterator[None]:
    sys.stderr.flush()
    real = os.dup(2)
    os.dup2(held.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(real, 2)
        os.close(real)
