"""Run one stage: `python -m stages STAGE NAME [--debug]`. This is what `dvc.yaml` calls."""

import argparse
import errno
import gc
import importlib
import io
import logging
import sys
from types import ModuleType

from podium.errors import PodiumError
from podium.processes import end_with_dvc

_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG)
"""What is wrong with a place to write to, not with podium."""

STAGES = (
    "download",
    "validate",
    "preprocess",
    "train",
    "evaluate",
    "confusion_matrix",
)
WITH_TENSORFLOW = ("train", "evaluate")


def main() -> int:
    """Run the stage that the command line names; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m stages", description="Run one stage of the pipeline.")
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("name", help="the dataset, or from `train` on the candidate")
    parser.add_argument("--debug", action="store_true", help="show the traceback of a mistake")
    arguments = parser.parse_args()
    end_with_dvc()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # not every encoding has all that messages hold
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    for ours in ("podium", "stages"):
        logging.getLogger(ours).setLevel(logging.INFO)
    try:
        _load(arguments.stage).main(arguments.name)
    except KeyboardInterrupt:
        return 130  # who types Ctrl-C knows what happened
    except ModuleNotFoundError as error:
        print(  # noqa: T201 - nothing else is there yet
            f"{sys.executable} lacks the package '{error.name}'. Make podium's environment (`make env`) and "
            "activate it (`source .venv/bin/activate`).",
            file=sys.stderr,
        )
        return 1
    except PodiumError as error:
        if arguments.debug:
            raise
        print(f"{arguments.stage} {arguments.name}: {error}", file=sys.stderr)  # noqa: T201 - the message is the product
        return 1
    except OSError as error:
        if arguments.debug or error.errno not in _PLACE:
            raise
        where = error.filename or "data/ or the folder for temporary files"
        print(  # noqa: T201 - the message is the product
            f"{arguments.stage} {arguments.name}: {where} cannot be written: {error.strerror}. Mend that and run the "
            "same command again; it goes on from what is here.",
            file=sys.stderr,
        )
        return 1
    return 0


def _load(stage: str) -> ModuleType:
    """Import a stage; where it needs TensorFlow, after the settings that TensorFlow and Keras read only once."""
    gc.disable()  # what imports make stays: to look through it for garbage, again at the end, costs up to a second
    if stage in WITH_TENSORFLOW:
        from podium.models.runtime import prepare

        prepare(alone=True)
    module = importlib.import_module(f"stages.{stage}")
    gc.freeze()
    gc.enable()
    return module


if __name__ == "__main__":
    status = main()
    if status:
        gc.collect()  # what a mistake's traceback held: TensorFlow complains if the end of the process takes it away
    sys.exit(status)
