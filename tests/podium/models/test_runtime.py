"""The user's machine has no say in what a training computes."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from podium.errors import PodiumError
from podium.models import runtime
from tests.makers import make_arrays, make_page, make_rows, make_table, save_page

KERAS_JSON = {"backend": "jax", "floatx": "float64", "image_data_format": "channels_first", "epsilon": 0.1}
CNN = {"kind": "cnn", "filters": [4], "dropout": 0.1}


def environment(**more: str) -> dict[str, str]:
    """This process's environment, less what `podium.models.runtime` put there."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KERAS_", "TF_"))} | more


def train(**more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stages", "train", "dots-cnn"]
    return subprocess.run(command, env=environment(**more), capture_output=True, text=True, check=False)


@pytest.fixture
def site(project: Path) -> Path:
    """A project with a small convolutional candidate and the arrays that it learns from."""
    page = make_page(project, make_table(make_rows(6)))
    page["candidates"]["dots-cnn"] = page["candidates"]["dots-dense"] | {"model": CNN}
    save_page(project, page)
    make_arrays(project / "data/processed/dots")
    return project


@pytest.mark.slow
def test_a_hostile_home_and_environment_end_in_the_same_bytes(site: Path) -> None:
    hostile, clean = site.parent / "hostile", site.parent / "clean"
    for folder in (hostile / ".keras", clean):
        folder.mkdir(parents=True)
    (hostile / ".keras/keras.json").write_text(json.dumps(KERAS_JSON))
    shortened = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1", "KERAS_NNX_ENABLED": "true"}
    made = []
    for more in ({"HOME": str(clean)}, {"HOME": str(hostile)} | shortened):
        done = train(**more)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        made.append([(site / "models/dots-cnn" / name).read_bytes() for name in ("model.keras", "history.csv")])
    assert made[0][1].count(b"\n") == 3, "a header and two epochs"
    assert made[1] == made[0]


@pytest.mark.usefixtures("site")
def test_another_backend_is_refused_by_name_before_anything_is_imported() -> None:
    done = train(KERAS_BACKEND="jax")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "train dots-cnn: The environment variable KERAS_BACKEND is 'jax', but podium trains with 'tensorflow' alone. "
        "`unset KERAS_BACKEND`, then the same command again."
    ]


@pytest.mark.slow
def test_a_file_that_keras_itself_refuses_is_named(site: Path) -> None:
    (site / "keras.json").write_text('{"floatx": "double"}')
    done = train(KERAS_HOME=str(site))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        f"train dots-cnn: Keras does not take its settings in {site / 'keras.json'}: Invalid `floatx`"
    )
    assert f"`rm {site / 'keras.json'}`" in line


def test_switches_need_no_tensorflow_and_an_empty_backend_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "")
    runtime.set_switches()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(PodiumError, match="KERAS_BACKEND is 'torch'"):
        runtime.set_switches()
    code = "import sys; from podium.models import runtime; runtime.set_switches(); print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is a library for x86")
@pytest.mark.parametrize("wish", [None, pytest.param("0", marks=pytest.mark.soak)])
def test_stages_compute_with_onednn_and_keep_freed_memory_unless_the_user_wills_otherwise(wish: str | None) -> None:
    code = (
        "import os; from podium.models import runtime; runtime.prepare()\n"
        "from tensorflow.python.util import _pywrap_util_port as port\n"
        "print(port.IsMklEnabled(), os.environ['TF_CPU_ALLOCATOR_USE_BFC'])\n"
        "print(os.environ['TF_CPU_BFC_MEM_LIMIT_IN_MB'])\n"
    )
    names = "TF_ENABLE_ONEDNN_OPTS", "TF_CPU_ALLOCATOR_USE_BFC", "TF_CPU_BFC_MEM_LIMIT_IN_MB"
    told = environment() if wish is None else environment(**dict.fromkeys(names, wish))
    said = subprocess.run([sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True).stdout
    *switches, limit = said.split()
    assert switches == (["True", "true"] if wish is None else ["False", "0"])
    free = (psutil.virtual_memory().available + psutil.swap_memory().free) / 2**20
    assert int(limit) == pytest.approx(free if wish is None else 0, rel=0.5)
