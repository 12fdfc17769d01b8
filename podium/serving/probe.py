"""The probe of a logged model: does it serve in a clean process, and does it say there what the evaluation heard."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from podium.errors import PodiumError
from podium.models.machine import name_machine
from podium.processes import FAMILY, guard_children
from podium.serving import child
from podium.serving.golden import ARTIFACTS, FaultError, compare, read_golden

SECONDS = 300.0
"""For all of it: TensorFlow is imported, the model is loaded and asked."""
MAX_RESULT_BYTES = 1 << 26
"""64 MiB of answers."""
MAX_REASON = 300
"""Letters of what a process said as it failed."""

_INHERITED = (FAMILY, "PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SYSTEMROOT")
"""Variables of the environment that the process has; others could change what it answers, or whom it asks."""


@dataclass(frozen=True)
class Probe:
    """What a probe found.

    Attributes:
        p95_ms: the 95th percentile of the milliseconds for one image alone, decoding included; NaN without answers.
        peak_mb: the most memory of the process, in megabytes of 10^6 bytes; NaN likewise.
        worst_difference: between the probabilities of the golden images and those of the evaluation; NaN likewise.
        fault: why it does not serve, in one sentence; empty if it does.
        machine: which one that was, by the name that `cost.json` has.
    """

    p95_ms: float
    peak_mb: float
    worst_difference: float
    fault: str
    machine: str


def probe(model: Path, python: str = sys.executable, seconds: float = SECONDS) -> Probe:
    """Load a logged model in a clean process, ask it about its golden images, and time it.

    Args:
        model: the folder of the logged model, with `MLmodel`.
        python: whose environment it is to serve in. Podium need not be there, and is never imported.
        seconds: after which the process is ended.
    """
    try:
        golden = read_golden(model.resolve())
        facts = _run(model.resolve(), [f"{ARTIFACTS}/{image['image']}" for image in golden], python, seconds)
        compared = [compare(expected, answer) for expected, answer in zip(golden, facts["answers"], strict=True)]
        milliseconds, peak_mb = float(np.percentile(facts["milliseconds"], 95)), float(facts["peak_mb"])
        machine = name_machine([str(gpu) for gpu in facts["gpus"]])
    except FaultError as error:
        return Probe(math.nan, math.nan, math.nan, str(error), name_machine())
    except (KeyError, ValueError, TypeError) as error:
        reason = f"What it answers is not in the form that podium knows: {error!r}."
        return Probe(math.nan, math.nan, math.nan, reason, name_machine())
    worst = float(np.max([difference for difference, _ in compared]))
    fault = next((text for _, text in compared if text), "")
    return Probe(round(milliseconds, 3), round(peak_mb, 1), worst, fault, machine)


def ask_in_clean_process(model: Path, files: list[Path]) -> dict[str, Any]:
    """Load a logged model in a clean process, as `probe` does, and ask it about files of this machine.

    Returns:
        `answers`, in order; and the `milliseconds` of single answers.

    Raises:
        PodiumError: it does not serve.
    """
    try:
        return _run(model.resolve(), [str(path.resolve()) for path in files], sys.executable, SECONDS)
    except FaultError as error:
        raise PodiumError(f"The logged model does not serve. {error}") from None


def _run(model: Path, names: list[str], python: str, seconds: float) -> dict[str, Any]:
    """Run the child, whatever the model in it does, and give what it wrote."""
    with tempfile.TemporaryDirectory(prefix="podium-probe-") as temporary:
        result, said = Path(temporary, "result.json"), Path(temporary, "said.txt")
        command = [python, "-I", "-B", str(child.__file__), str(model), json.dumps(names), str(result)]
        guard_children()
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        nowhere = {"TF_CPP_MIN_LOG_LEVEL": "2", "MLFLOW_TRACKING_URI": f"sqlite:///{temporary}/none.db"}
        with said.open("wb") as output:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=temporary,
                    env=inherited | nowhere,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise FaultError(f"{python} cannot be started: {error.strerror}.") from None
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise FaultError(f"It did not load and answer within {seconds:,.0f} seconds.") from None
            finally:
                _end(process)
        if status:
            raise FaultError(_why(status, said))
        if not result.is_file() or result.stat().st_size > MAX_RESULT_BYTES:
            raise FaultError(f"Its process wrote no answers, or more than {MAX_RESULT_BYTES:,} bytes of them.")
        facts: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return facts


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, and what it started."""
    with suppress(ProcessLookupError):  # it is over, and left nothing behind
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _why(status: int, said: Path) -> str:
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1].strip()[:MAX_REASON] if lines else "it said nothing"
    how = f"was ended by {signal.Signals(-status).name}" if status < 0 else "failed"
    return f"Its process {how} while it loaded the model or answered: {last}"
