import json
import math
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from podium.files import save_json
from podium.models.machine import name_machine
from podium.serving import child
from podium.serving.probe import Probe, probe

IMAGES = [
    {"image": "golden/0.png", "id": "a", "label": "cat", "probabilities": {"cat": 0.75, "dog": 0.25}},
    {"image": "golden/1.png", "id": "b", "label": "dog", "probabilities": {"cat": 0.49995, "dog": 0.50005}},
]
ANSWERS: list[dict[str, Any]] = [
    {"label": one["label"], "probability": 0.0, "unsure": False, "probabilities": one["probabilities"], "error": ""}
    for one in IMAGES
]
FACTS = {"answers": ANSWERS, "milliseconds": [*range(1, 101)], "peak_mb": 512.34, "gpus": []}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """What the probe itself reads of a logged model."""
    folder = tmp_path / "model"
    (folder / "artifacts/golden").mkdir(parents=True)
    for image in IMAGES:
        (folder / "artifacts" / str(image["image"])).write_bytes(b"an image")
    save_json({"images": IMAGES}, folder / "artifacts/golden.json")
    return folder


Play = Callable[[str], None]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Let another script answer in the place of a model; it may use `model`, `names`, `result` and `facts`."""

    def write(code: str) -> None:
        script = tmp_path / "child.py"
        head = "import json, os, sys, time\nfrom pathlib import Path\nmodel, names, result = sys.argv[1:]\n"
        script.write_text(f"{head}facts = json.loads({json.dumps(FACTS)!r})\n{code}\n")
        monkeypatch.setattr(child, "__file__", str(script))

    return write


SAVE = "Path(result).write_text(json.dumps(facts))"


def test_a_model_that_answers_as_it_did_has_no_fault(model: Path, play: Play) -> None:
    play(SAVE)
    expected = Probe(p95_ms=95.05, peak_mb=512.3, worst_difference=0.0, fault="", machine=name_machine())
    assert probe(model) == expected


def test_a_gpu_is_part_of_the_machines_name(model: Path, play: Play) -> None:
    play(f"facts['gpus'] = ['Some GPU']\n{SAVE}")
    assert probe(model).machine == name_machine(["Some GPU"])


def test_the_process_sees_nothing_of_podium_and_little_of_the_environment(
    model: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://somewhere.invalid")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    play(
        "assert 'KERAS_BACKEND' not in os.environ and 'somewhere' not in os.environ['MLFLOW_TRACKING_URI']\n"
        "assert sys.flags.isolated and Path.cwd() != Path(model) and not list(Path.cwd().glob('*.py'))\n"
        f"assert json.loads(names) == ['artifacts/golden/0.png', 'artifacts/golden/1.png']\n{SAVE}"
    )
    assert probe(model).fault == ""


FAULTS = {
    "another class": (
        "facts['answers'][0] |= {'label': 'dog', 'probabilities': {'cat': 0.25, 'dog': 0.75}}",
        "It says dog of golden/0.png, the evaluation heard cat; a probability differs by 0.5, more than 0.0001.",
    ),
    "a little difference": (
        "facts['answers'][0]['probabilities'] = {'cat': 0.7502, 'dog': 0.2498}",
        "a probability differs by 0.0002, more than 0.0001",
    ),
    "no number": ("facts['answers'][1]['probabilities']['cat'] = float('nan')", "a probability differs by nan"),
    "another class with the same probabilities": (
        "facts['answers'][0]['label'] = 'dog'",
        "It says dog of golden/0.png, where the evaluation heard cat.",
    ),
    "other classes": (
        "facts['answers'][0]['probabilities'] = {'dog': 0.25, 'cat': 0.75}",
        "It has other classes than those that it was evaluated with: dog, cat.",
    ),
    "an image that it cannot read": (
        "facts['answers'][1] = {'error': 'it is cut short'}",
        "It cannot read golden/1.png: it is cut short.",
    ),
    "an answer too few": ("facts['answers'].pop()", "is not in the form that podium knows"),
    "answers of another form": ("facts['answers'] = [[], {}]", "is not in the form that podium knows"),
    "an unknown class": ("facts['answers'][0]['label'] = 'cow'", "is not in the form that podium knows"),
    "no times": ("del facts['milliseconds']", "is not in the form that podium knows"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_not_as_it_was_is_a_fault(model: Path, play: Play, case: str) -> None:
    code, fault = FAULTS[case]
    play(f"{code}\n{SAVE}")
    assert fault in probe(model).fault


def test_of_two_classes_that_were_as_likely_either_will_do(model: Path, play: Play) -> None:
    play(f"facts['answers'][1] |= {{'label': 'cat', 'probabilities': {{'cat': 0.50001, 'dog': 0.49999}}}}\n{SAVE}")
    found = probe(model)
    assert found.fault == ""
    assert found.worst_difference == pytest.approx(6e-5)


@pytest.mark.parametrize(("edge", "fault"), [(20.05, ""), (20.2, "Its box of golden/0.png differs by 0.2 pixels")])
def test_a_box_has_to_be_where_it_was(model: Path, play: Play, edge: float, fault: str) -> None:
    images = [one | {"box": [1.0, 2.0, 20.0, 30.0]} for one in IMAGES]
    save_json({"images": images}, model / "artifacts/golden.json")
    play(f"for one in facts['answers']:\n    one['box'] = [1, 2, {edge}, 30]\n{SAVE}")
    assert probe(model).fault.startswith(fault)
    assert bool(probe(model).fault) == bool(fault)


CRASHES = {
    "an exception": ("raise ValueError('no such layer')", "Its process failed .*: ValueError: no such layer"),
    "a signal": ("os.abort()", "was ended by SIGABRT while it loaded the model or answered"),
    "silence": ("sys.exit(3)", "failed while it loaded the model or answered: it said nothing"),
    "no answers": ("pass", "wrote no answers"),
    "answers that are no JSON": ("Path(result).write_text('[')", "is not in the form that podium knows"),
}


@pytest.mark.parametrize("case", CRASHES)
def test_a_process_that_ends_badly_is_a_fault(model: Path, play: Play, case: str) -> None:
    code, fault = CRASHES[case]
    play(code)
    found = probe(model)
    assert found.machine == name_machine()
    assert math.isnan(found.p95_ms)
    assert math.isnan(found.worst_difference)
    assert re.search(fault, found.fault), found.fault


def test_a_process_that_takes_too_long_is_ended_with_all_that_it_started(model: Path, play: Play) -> None:
    play(
        "import subprocess\n"
        "nap = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "Path(model, 'pids').write_text(f'{os.getpid()} {nap.pid}')\n"
        "time.sleep(600)"
    )
    assert probe(model, seconds=3).fault == "It did not load and answer within 3 seconds."
    waited = time.monotonic() + 10
    pids = [int(pid) for pid in (model / "pids").read_text().split()]
    while any(is_running(pid) for pid in pids) and time.monotonic() < waited:
        time.sleep(0.05)
    assert not [pid for pid in pids if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_nothing_is_left_behind(model: Path, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    play(SAVE)
    before = sorted(model.rglob("*"))
    assert probe(model).fault == ""
    assert [*temporary.iterdir()] == []
    assert sorted(model.rglob("*")) == before


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "It has no artifacts/golden.json, .*: it was logged by an older podium, or not in full."),
        ("[", "Its artifacts/golden.json cannot be read"),
        ('{"images": []}', "names no image"),
        ('{"images": [{}]}', "cannot be read"),
        ('{"images": [{"image": "golden/7.png"}]}', "Its golden image 7.png is missing."),
        ('{"images": [{"image": "../../secret.png"}]}', "Its golden image secret.png is missing."),
    ],
)
def test_a_model_without_golden_images_is_not_started(model: Path, play: Play, content: str | None, fault: str) -> None:
    play("raise AssertionError('started')")
    (model.parent / "secret.png").write_bytes(b"")
    golden = model / "artifacts/golden.json"
    golden.unlink()
    if content is not None:
        golden.write_text(content)
    assert re.search(fault, probe(model).fault)


def test_a_python_that_is_not_there_is_a_fault(model: Path, tmp_path: Path) -> None:
    found = probe(model, python=str(tmp_path / "python"))
    assert found.fault.startswith(f"{tmp_path}/python cannot be started")
