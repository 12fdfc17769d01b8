"""The review of a change, as a pull request has it: both revisions run, and what differs is said."""

import sys
from pathlib import Path
from typing import Any

import pytest

from flows.review import main
from tests.flows.workspace import Workspace, keep_only, shorten

pytestmark = pytest.mark.slow


@pytest.fixture
def branch(tmp_path: Path, cache: Path) -> Workspace:
    """A project whose branch trains a wider network; nothing has run."""
    workspace = Workspace(tmp_path / "project")
    workspace.use_cache(cache)
    workspace.edit(shorten)
    workspace.edit(keep_only("digits-dense"))
    workspace.commit("a quick page")
    workspace.run("git", "branch", "base")

    def widen(page: dict[str, Any]) -> None:
        page["candidates"]["digits-dense"]["model"]["units"] = [48]

    workspace.edit(widen)
    workspace.commit("a wider network")
    return workspace


def review(workspace: Workspace, *words: str) -> str:
    return workspace.run(sys.executable, "-m", "flows.review", *words)


def test_a_change_is_held_against_its_base_and_nothing_is_published(
    branch: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = review(branch, "--base", "base", "--summary", "review.md", "--images", "https://example.invalid/")
    text = (branch.root / "review.md").read_text()
    assert text.strip() in said
    assert text.startswith("## digits: ")
    assert "digits-dense (this branch)" in text
    assert "| digits-dense | test accuracy | " in text
    assert "<https://example.invalid/digits.png>" in text
    assert (branch.root / "reports/review/digits.png").read_bytes().startswith(b"\x89PNG")
    assert "## ✅ the data of digits: passed" in text
    assert "### Since base\n\nNothing changed" in text
    assert not (branch.root / "mlflow.db").exists()
    assert not [*(branch.root / ".dvc/tmp/podium-clones").glob("*")]

    monkeypatch.chdir(branch.root)
    assert main(["--base", "nowhere"]) == 1
    assert "git has no revision 'nowhere'" in capsys.readouterr().err
    branch.edit(lambda page: page["datasets"]["digits"]["split"].update(seed="one"))
    assert main(["--base", "base", "--summary", "review.md"]) == 1
    assert "params.yaml, line" in capsys.readouterr().err
    assert "## ❌ There is no review" in (branch.root / "review.md").read_text()
