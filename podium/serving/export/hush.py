"""Silence for what converters say on the way: what matters of it is in the error that they raise."""

import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hushed() -> Iterator[None]:
    """Hold back what native code and Python write to standard error, and drop it at the end of the block."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tf2onnx and Keras speak of NumPy's names
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
