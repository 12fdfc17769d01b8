"""A folder for a while is gone at the end, whoever ends its process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from podium.files import scratch_folder
from tests.makers import REPOSITORY

HOLD = """
import sys, time
from pathlib import Path
from podium.files import scratch_folder
with scratch_folder(Path("."), "ours-") as folder:
    (folder / "file").write_text("")
    print(folder.resolve(), flush=True)
    time.sleep(60)
"""


def test_a_scratch_folder_is_removed_at_the_end_with_its_lock(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "new", "ours-") as folder:
        (folder / "file").write_text("")
        assert folder.name.startswith("ours-")
        assert not folder.stat().st_mode & 0o077
    with pytest.raises(ValueError, match="a mistake"), scratch_folder(tmp_path / "new", "ours-") as folder:
        raise ValueError("a mistake")
    assert not list((tmp_path / "new").iterdir())


def test_one_that_a_kill_left_is_removed_by_the_next_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "theirs-1").mkdir()
    (tmp_path / "ours-link").symlink_to(tmp_path / "theirs-1")
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        left = Path(process.stdout.readline().strip())
        with scratch_folder(tmp_path, "ours-"):
            assert (left / "file").exists()
        process.kill()
    assert left.exists()
    with scratch_folder(tmp_path, "ours-") as folder:
        assert not left.exists()
        assert folder.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours-link", "theirs-1"]
