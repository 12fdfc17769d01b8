"""How often a process looks for garbage.

Prefect, MLflow and what they import make a million objects, and nearly all of them stay. Python looks through them
again and again while they are made, a third of the time that a command takes to start, and once more as it ends.
"""

import atexit
import gc

NEW_OBJECTS = 10_000
"""Between two looks at what is new; 700 are usual."""


def collect_seldom() -> None:
    """Have this process look for garbage less often, and not once more at its end."""
    gc.set_threshold(NEW_OBJECTS)
    atexit.register(gc.freeze)
