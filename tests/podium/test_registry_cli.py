"""`podium promote`, `rollback`, `recall` and `history`: what they print, and how they end."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from podium.cli.command_line import main
from podium.registry import judging, measures
from tests.challenges import Serving, make_client, make_result
from tests.podium.registry.test_promotion import challenge


def test_from_promotion_to_recall(
    project: Path,
    store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def write(folder: Path, *_: Any) -> None:
        (folder / "index.html").write_text("a card\n")

    monkeypatch.setattr(measures, "serve", Serving())
    monkeypatch.setattr(judging, "write_card", write)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copy(store, project / "mlflow.db")
    client = make_client(project)
    for right in (60, 50):
        challenge(client, make_result(client, "digits-cnn", right))

    def run(*words: str) -> tuple[int, str, str]:
        status = main(words)
        said = capsys.readouterr()
        return status, said.out, said.err

    status, out, _ = run("promote", "digits/2")
    assert status == 1
    assert 'To promote it all the same: podium promote digits/2 --force --why "…"' in out
    assert "The card: " in out
    assert run("promote", "digits/2", "--force")[2].startswith("podium: Why? Expected a reason")
    assert run("promote", "digits/2", "--force", "--why", "\x1b[31mred")[0] == 0
    assert run("promote", "digits@champion")[0] == 0
    assert run("rollback", "digits")[1] == "digits/1 is champion again; digits/2 is not any more.\n"
    assert run("recall", "digits/2")[0] == 1
    assert run("recall", "digits/2", "--why", "wrong labels")[1] == "digits/2 is recalled: wrong labels\n"
    status, out, _ = run("history", "digits")
    assert status == 0
    rows = [line.split() for line in out.splitlines() if line[:4].strip().isdigit()]
    assert [row[4] for row in rows] == ["decide", "decide", "force", "rollback", "recall"]
    assert "\x1b" not in out
    assert "wrong labels" in out
    assert "MLflow has no model 'digts'. Did you mean 'digits'?" in run("history", "digts")[2]


@pytest.mark.parametrize("words", [("history", "digits"), ("rollback", "digits"), ("promote", "digits/1")])
def test_without_a_store_nothing_is_laid_out(
    project: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert main(words) == 1
    assert "MLflow has nothing yet" in capsys.readouterr().err
    assert not (project / "mlflow.db").exists()
