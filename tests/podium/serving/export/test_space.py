"""A Space starts where no podium is, and answers."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from podium.errors import PodiumError
from podium.serving.export.space import write_space
from podium.serving.finding import Found, find_model
from podium.serving.predictor import Predictor
from tests.podium.serving.app.projects import make_project
from tests.podium.serving.app.stand_ins import draw
from tests.servers import find_free_port, wait_for
from tests.sharing import made_once

pytestmark = pytest.mark.slow

START = "import runpy, sys; sys.modules['podium'] = None; runpy.run_path('app.py', run_name='__main__')"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Found]:
    project, _ = made_once(tmp_path_factory, "app-project", lambda folder: make_project(folder, store))
    root = tmp_path_factory.mktemp("space") / "project"
    shutil.copytree(project, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")
        patch.delenv("MLFLOW_TRACKING_URI")
        yield find_model(root, "dots@champion")


@pytest.fixture
def space(found: Found, tmp_path: Path) -> Path:
    folder = tmp_path / "dots-space"
    folder.mkdir()
    write_space(found, folder, "mit")
    return folder


def test_a_space_has_what_a_hub_reads(space: Path) -> None:
    _, head, text = (space / "README.md").read_text().split("---\n", 2)
    facts = YAML(typ="safe").load(head)
    assert (facts["sdk"], facts["sdk_version"], facts["app_file"]) == ("gradio", version("gradio"), "app.py")
    assert facts["license"] == "mit"
    assert facts["python_version"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert "---" not in text
    lines = (space / "requirements.txt").read_text().split()
    assert f"gradio=={version('gradio')}" in lines
    assert all("==" in line for line in lines)
    assert not any(line.startswith("podium") for line in lines)
    assert "podium." not in (space / "app.py").read_text()


def test_a_space_answers_as_the_model_does_without_podium(space: Path, found: Found, tmp_path: Path) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    port = find_free_port()
    nothing = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GRADIO_ANALYTICS_ENABLED": "False"}
    address = {"GRADIO_SERVER_NAME": "127.0.0.1", "GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path)}
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(draw(30))
    bad.write_bytes(draw(30)[:90])
    (expected,) = Predictor.load(found).predict([good])
    with (tmp_path / "said.txt").open("wb") as said:
        server = subprocess.Popen(
            [sys.executable, "-I", "-c", START],
            cwd=space,
            env=nothing | address,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/", server)
            client = gradio_client.Client(f"http://127.0.0.1:{port}/", verbose=False)
            classes, words, boxed = client.predict(gradio_client.handle_file(str(good)), api_name="/predict")
            assert classes["label"] == expected["label"]
            shares = {one["label"]: one["confidence"] for one in classes["confidences"]}
            assert shares == pytest.approx(expected["probabilities"], abs=1e-5)
            assert expected["label"] in words
            assert len(boxed["annotations"]) == 1
            _, words, _ = client.predict(gradio_client.handle_file(str(bad)), api_name="/predict")
            assert words.startswith("This image cannot be used: ")
            client.close()
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
    assert "Traceback" not in (tmp_path / "said.txt").read_text(errors="replace")


def test_a_model_of_another_program_is_no_space(found: Found, tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"no requirements\.txt"):
        write_space(Found(tmp_path, "other", "", found.facts), tmp_path / "space")
