"""A stage that takes too long is ended with all that it started."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from flows.limits import NO_LIMITS, StageLimits
from podium.errors import PodiumError
from podium.workspace.repro import reproduce

PIPELINE = """
stages:
  slow:
    cmd: sleep 600 & echo $! > child; echo began; wait
"""


@pytest.mark.slow
def test_a_stage_that_takes_too_long_ends_with_its_children_and_one_message(tmp_path: Path) -> None:
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, env=os.environ | {"DVC_NO_ANALYTICS": "1"}, check=True)
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    seconds, child = 3.0, tmp_path / "child"
    while not child.exists():  # a busy machine takes longer than that to start DVC
        with pytest.raises(PodiumError, match=r"slow: took longer than the .* that it may take.*`limits`"):
            reproduce(tmp_path, "slow", print, seconds=seconds)
        seconds *= 2
    with suppress(psutil.NoSuchProcess):
        assert psutil.Process(int(child.read_text())).status() == psutil.STATUS_ZOMBIE


def test_limits_are_minutes_and_none_is_no_limit() -> None:
    assert StageLimits(train=1.5).seconds("train") == 90
    assert StageLimits(validation=2).seconds("validate") == 120
    assert [NO_LIMITS.seconds(kind) for kind in ("download", "validate", "preprocess", "evaluate")] == [None] * 4
    assert NO_LIMITS.seconds("confusion_matrix") is None
