"""How often a process looks for garbage.

Prefect, MLflow and what they import make very many objects, and nearly all of them stay. Python looks through them
again and again while they are made, and once more as the process ends: that is felt whenever a command starts or ends.
"""

import atexit
import gc

NEW_OBJECTS = 10_000
"""Between two looks at what is new; 700 are usual."""


def collect_seldom() -> None:
    """Have this process look for garbage less often, and not once more at its end."""
    gc.set_threshold(NEW_OBJECTS)
    atexit.register(gc.freeze)
