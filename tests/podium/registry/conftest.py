import shutil
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from podium.registry import judging, measures
from tests.challenges import Serving, make_client


@pytest.fixture
def client(tmp_path: Path, store: Path) -> MlflowClient:
    shutil.copy(store, tmp_path / "mlflow.db")
    return make_client(tmp_path)


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Serving:
    """How versions serve, without a process for each; and cards of one line, which take no time."""

    def write(folder: Path, *_: Any) -> None:
        (folder / "index.html").write_text("a card\n")

    serving = Serving()
    monkeypatch.setattr(measures, "serve", serving)
    monkeypatch.setattr(judging, "write_card", write)
    return serving
