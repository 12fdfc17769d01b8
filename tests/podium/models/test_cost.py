import time
from pathlib import Path

import numpy as np
import pytest

from podium.models import cost, machine, zoo
from podium.models.cost import measure_cost
from podium.models.files import save_model
from podium.models.machine import name_machine
from tests.makers import DENSE, SIDE

SHAPE = (SIDE, SIDE, 1)


@pytest.mark.slow
def test_a_model_is_weighed_and_timed(tmp_path: Path) -> None:
    model, file = zoo.build(DENSE, SHAPE, {"label": 3}), tmp_path / "model.keras"
    save_model(model, file)
    asked = measure_cost(model, file, np.zeros(SHAPE, np.uint8), 123.456, 7.5)
    assert asked.parameters == sum(int(np.prod(weight.shape)) for weight in model.weights)
    assert asked.model_bytes == len(file.read_bytes())
    assert (asked.images_per_second, asked.training_seconds) == (123.5, 7.5)
    assert 0 < asked.milliseconds_per_image < 1000
    assert asked.machine == name_machine()


class Slow:
    """Answers after a while, the first time after a long one."""

    def __init__(self, *naps: float) -> None:
        self.naps, self.shapes = [*naps], []

    def predict_on_batch(self, images: np.ndarray) -> None:
        self.shapes.append(images.shape)
        time.sleep(self.naps.pop(0))

    def count_params(self) -> int:
        return 1


def test_the_first_call_does_not_count_and_a_single_slow_one_does_not_matter(tmp_path: Path) -> None:
    model = Slow(0.3, *([0.01] * 10), 0.2, *([0.01] * 9))
    measured = measure_cost(model, tmp_path, np.zeros(SHAPE, np.uint8), 1.0, None)
    assert 10 <= measured.milliseconds_per_image < 100
    assert model.shapes == [(1, *SHAPE)] * (cost.CALLS + 1)


def test_a_slow_model_is_asked_no_longer_than_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "BUDGET_SECONDS", 0.05)
    model = Slow(*([0.04] * cost.CALLS))
    measure_cost(model, tmp_path, np.zeros(SHAPE, np.uint8), 1.0, None)
    assert 2 <= len(model.shapes) <= 4


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: Some CPU @ 2 GHz\n", "Some CPU @ 2 GHz"),
        ("processor : 0\nBogoMIPS : 50\n", "elsewhere"),
        (None, "elsewhere"),
    ],
    ids=["x86", "arm", "no linux"],
)
def test_the_machine_is_named_as_well_as_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, name: str
) -> None:
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(machine, "_CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine.platform, "processor", lambda: "elsewhere")
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 1)
    assert name_machine() == f"{name}, 1 core"
    assert name_machine(["A GPU"]) == f"{name}, 1 core, A GPU"
