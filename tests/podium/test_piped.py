"""A command whose reader has seen enough."""

import subprocess
import sys

from tests.makers import REPOSITORY


def test_a_reader_that_stops_reading_is_no_mistake() -> None:
    command = [sys.executable, "-m", "podium.cli", "feedback", "digits"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
