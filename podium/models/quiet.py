"""Silence for TensorFlow's greetings, which it writes to standard error before anyone can configure it."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_GREETINGS = (
    b"oneDNN custom operations are on",
    b"All log messages before absl::InitializeLog()",
    b"This TensorFlow binary is optimized",
    b"To enable the following instructions",
)


@contextmanager
def without_greetings() -> Iterator[None]:
    """Hold back what native code writes to standard error, and afterwards pass on all but the greetings."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            for line in held:
                if not any(greeting in line for greeting in _GREETINGS):
                    os.write(2, line)
