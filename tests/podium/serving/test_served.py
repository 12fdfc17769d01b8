"""A real model behind MLflow's own server, and under the probe."""

import base64
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import requests
from PIL import Image as Pillow

from podium.serving.probe import probe
from podium.tracking.classifier import MAX_IMAGES
from tests.logged import save_new_model
from tests.makers import SIDE

pytestmark = pytest.mark.slow

SECONDS = 180
"""After which a server counts as dead."""


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The address of `mlflow models serve`, which knows nothing of the project but the store."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bin_folder = str(Path(sys.executable).parent)
    environment = {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/dots@champion"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.txt").open("wb") as said:
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/ping", server, folder / "server.txt")
            yield f"http://127.0.0.1:{port}/invocations"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def wait_for(address: str, server: "subprocess.Popen[bytes]", said: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            requests.get(address, timeout=5).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.5)
    raise AssertionError(said.read_text(errors="replace"))


def ask(address: str, content: Any) -> list[dict[str, Any]]:
    answer = requests.post(address, json=content, timeout=60)
    answer.raise_for_status()
    predictions: list[dict[str, Any]] = answer.json()["predictions"]
    return predictions


def photo(height: int = 30, width: int = 50) -> bytes:
    """A JPEG in colour, of another shape than the model's images."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


TEXT = base64.b64encode(photo()).decode()
FORMS = {
    "records": {"dataframe_records": [{"image": TEXT}, {"image": TEXT}]},
    "split": {"dataframe_split": {"columns": ["image"], "data": [[TEXT], [TEXT]]}},
    "inputs by name": {"inputs": {"image": [TEXT, TEXT]}},
    "inputs": {"inputs": [TEXT, TEXT]},
    "instances": {"instances": [TEXT, TEXT]},
    "instances by name": {"instances": [{"image": TEXT}, {"image": TEXT}]},
    "data addresses": {"inputs": [f"data:image/jpeg;base64,{TEXT}"] * 2},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_server_answers_a_posted_image_in_each_form(address: str, folder: Path, form: str) -> None:
    answers = ask(address, FORMS[form])
    expected = mlflow.pyfunc.load_model(str(folder / "model")).predict({"image": [photo(), photo()]})
    assert len(answers) == 2
    for answer, other in zip(answers, expected, strict=True):
        assert answer["label"] == other["label"]
        assert answer["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
        assert answer["box"] == pytest.approx(other["box"], abs=1e-4)
        assert all(0 <= edge <= 50 for edge in answer["box"])


def test_a_server_takes_pixels_as_lists(address: str) -> None:
    pixels = np.asarray(Pillow.open(io.BytesIO(photo()))).tolist()
    (answer,) = ask(address, {"dataframe_records": [{"image": pixels}]})
    (expected,) = ask(address, {"inputs": [TEXT]})
    assert answer["probabilities"] == pytest.approx(expected["probabilities"], abs=0.05)  # a JPEG is reduced


@pytest.mark.parametrize(
    "bad",
    ["", "no image", "/etc/passwd", None, base64.b64encode(b"hello").decode(), TEXT[:400]],
    ids=["empty", "no base64", "a path", "nothing", "no image", "cut short"],
)
def test_a_broken_image_in_a_batch_is_told_and_the_others_are_answered(address: str, bad: str | None) -> None:
    answers = ask(address, {"dataframe_records": [{"image": TEXT}, {"image": bad}, {"image": TEXT}]})
    assert [bool(answer["label"]) for answer in answers] == [True, False, True]
    assert [bool(answer["error"]) for answer in answers] == [False, True, False]
    assert answers[0] == answers[2]


BODIES = {
    "no JSON": b'{"inputs": [',
    "nothing": b"",
    "no object": b"[1, 2]",
    "no image": b'{"pictures": ["a"]}',
    "another column": b'{"dataframe_records": [{"picture": "a"}]}',
    "deep": b'{"inputs": ' + b"[" * 400 + b"]" * 400 + b"}",
}


@pytest.mark.parametrize("body", BODIES)
def test_a_server_refuses_what_is_no_question_and_tells_nothing_of_itself(address: str, body: str) -> None:
    answer = requests.post(address, data=BODIES[body], headers={"Content-Type": "application/json"}, timeout=60)
    assert 400 <= answer.status_code < 500
    assert not {"Traceback", "stack_trace", "site-packages"} & {*re.findall(r"[\w-]+", answer.text)}


def test_a_server_refuses_too_many_images(address: str) -> None:
    (answer,) = ask(address, {"inputs": [""] * (MAX_IMAGES + 1)})
    assert answer["error"] == f"{MAX_IMAGES + 1:,} images at once; ask for at most {MAX_IMAGES:,}"


def test_a_server_says_that_it_is_well(address: str) -> None:
    assert requests.get(address.replace("invocations", "ping"), timeout=60).status_code == 200


def test_a_server_needs_no_podium(address: str, folder: Path) -> None:
    assert ask(address, {"inputs": [TEXT]})[0]["label"]
    assert "podium." not in (folder / "server.txt").read_text(errors="replace").replace("podium_model", "")


def test_the_probe_finds_no_fault_with_a_model_that_serves(folder: Path) -> None:
    found = probe(folder / "model")
    assert found.fault == ""
    assert found.worst_difference < 1e-5
    assert 0 < found.p95_ms < 10_000
    assert 100 < found.peak_mb < 10_000


def break_weights(model: Path) -> None:
    save_new_model(model / "artifacts/model.keras", (SIDE, SIDE, 1), {"label": 3, "box": 4}, seed=1)


def break_file(model: Path) -> None:
    (model / "artifacts/model.keras").write_bytes(b"no model")


def lose_weights(model: Path) -> None:
    (model / "artifacts/model.keras").unlink()


def need_podium(model: Path) -> None:
    (code,) = model.glob("code/*/classifier.py")
    code.write_text(code.read_text() + "\nimport podium\n")


FAILED = "Its process failed while it loaded the model or answered: "


@pytest.mark.parametrize(
    ("breaking", "fault"),
    [
        (break_weights, "a probability differs by"),
        pytest.param(break_file, FAILED, marks=pytest.mark.soak),
        pytest.param(lose_weights, FAILED, marks=pytest.mark.soak),
        pytest.param(need_podium, "import of podium halted", marks=pytest.mark.soak),
    ],
)
def test_the_probe_says_why_a_model_does_not_serve(folder: Path, tmp_path: Path, breaking: Any, fault: str) -> None:
    model = tmp_path / "model"
    shutil.copytree(folder / "model", model)
    breaking(model)
    assert fault in probe(model).fault
