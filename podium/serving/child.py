"""What `podium.serving.probe` runs in a process of its own, by path: it loads a logged model, and lets it answer.

Nothing of podium can be imported here: a model that needs it does not load.
"""

import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

CALLS = 30
"""Single images that are timed, after the warm-up."""


def main(model: str, names: str, result: str) -> None:
    """Answer about some images, and write answers, times and memory as JSON.

    Args:
        model: the folder of the logged model.
        names: JSON: the images' files, relative to the folder.
        result: the file to write.
    """
    gc.disable()  # what is imported stays: to look through it for garbage takes long
    sys.modules["podium"] = None  # type: ignore[assignment]  # so Python refuses to import it
    import mlflow.pyfunc
    import pandas as pd

    loaded = mlflow.pyfunc.load_model(model)
    gc.enable()
    tables = [pd.DataFrame({"image": [Path(model, name).read_bytes()]}) for name in json.loads(names)]
    answers = [loaded.predict(table)[0] for table in tables]
    milliseconds = []
    for call in range(CALLS):
        begin = time.perf_counter()
        loaded.predict(tables[call % len(tables)])
        milliseconds.append(1000 * (time.perf_counter() - begin))
    facts = {"answers": answers, "milliseconds": milliseconds, "peak_mb": _peak_mb(), "gpus": _gpus()}
    Path(result).write_text(json.dumps(facts), encoding="utf-8")


def _peak_mb() -> float:
    """Give the most memory that this process had, in megabytes of 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux counts what the parent had to a child's ru_maxrss, too
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def _gpus() -> list[str]:
    config: Any = sys.modules["tensorflow"].config
    devices = config.list_physical_devices("GPU")
    return [str(config.experimental.get_device_details(gpu).get("device_name", "GPU")) for gpu in devices]


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # TensorFlow's threads need not be waited for
