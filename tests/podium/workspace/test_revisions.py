"""A remote that cannot be asked is named by DVC, and ends in no traceback."""

from pathlib import Path

import pytest

from podium.workspace.revisions import read_at, restore
from tests.podium.workspace.test_clone import git, repository, run

__all__ = ["repository"]
pytestmark = pytest.mark.slow


def test_a_remote_without_credentials_is_named_and_is_no_traceback(
    repository: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("dvc_s3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(repository))
    (repository / "kept.txt").write_text("kept")
    dvc = ["python", "-m", "dvc"]
    run([*dvc, "add", "-q", "kept.txt"], repository)
    run([*dvc, "remote", "add", "-q", "-d", "store", "s3://bucket/project"], repository)
    git(repository, "add", "--all")
    git(repository, "commit", "-qm", "kept elsewhere")
    (repository / "kept.txt").unlink()
    (repository / ".dvc/cache").rename(repository / ".dvc/gone")
    restore(repository, Path("kept.txt"))
    assert not (repository / "kept.txt").exists()
    assert read_at(repository, Path("made.txt"), "HEAD") is None
    assert "failed to connect to s3 (bucket/project/files/md5)" in caplog.messages[0]
