"""Where `podium run` tells people to look."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.run import describe_places


@pytest.mark.parametrize("active", [True, False])
def test_commands_are_named_as_the_shell_finds_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, active: bool
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    if active:
        monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    else:
        monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    folder = "" if active else ".venv/bin/"
    runs, flow, reports = describe_places(tmp_path, f"sqlite:///{tmp_path}/mlflow.db", None)
    command = f"{folder}mlflow ui --backend-store-uri sqlite:///{tmp_path}/mlflow.db"
    assert f": {command}  then http://127.0.0.1:5000/#/experiments?workflowType=machine_learning" in runs
    assert f" {folder}prefect server start  then http://127.0.0.1:4200" in flow
    assert reports.endswith(f"{tmp_path}/reports")


def test_servers_are_named_by_their_addresses(tmp_path: Path) -> None:
    runs, flow, _ = describe_places(tmp_path, "http://me:secret@mlflow.example:5000", "http://127.0.0.1:4200/api")
    address = "http://mlflow.example:5000/#/experiments?workflowType=machine_learning"
    assert runs.split() == ["Runs", "and", "models:", address]
    assert flow.split() == ["The", "flow:", "http://127.0.0.1:4200"]


def test_a_password_in_an_address_is_not_shown(tmp_path: Path) -> None:
    runs, *_ = describe_places(tmp_path, "postgresql://me:secret@db.example/mlflow", None)
    assert "secret" not in runs
    assert '--backend-store-uri "$MLFLOW_TRACKING_URI"' in runs


def test_the_first_line_waits_for_nothing_heavy() -> None:
    program = "import sys, flows.run; print({'prefect', 'mlflow', 'tensorflow', 'keras', 'pandas'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "set()\n"
