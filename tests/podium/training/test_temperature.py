from pathlib import Path

import keras
import numpy as np
import pytest

from podium.datasets.arrays import open_split
from podium.errors import PodiumError
from podium.evaluation.temperature import fit_temperature, with_temperature
from podium.models import zoo
from podium.models.inference import predict_heads
from podium.training.temperature import bake_temperature, load_temperature
from tests.makers import CNN, DENSE, SIDE, make_arrays
from tests.podium.models.zoo.entries import TWO_HEAD

pytestmark = pytest.mark.slow

SHAPE = (SIDE, SIDE, 1)


@pytest.mark.parametrize("boxes", [False, True], ids=["label", "label and box"])
@pytest.mark.parametrize("model", [DENSE, CNN, TWO_HEAD], ids=lambda model: model.kind)
def test_the_logits_are_divided_and_nothing_else_changes(tmp_path: Path, model: object, boxes: bool) -> None:
    validation = open_split(make_arrays(tmp_path / "dots", boxes=boxes) / "validation")
    keras.utils.set_random_seed(1)
    network = zoo.build(model, SHAPE, {"label": 3} | ({"box": 4} if boxes else {}))
    network.get_layer("label").bias.assign([0.5, -0.3, 0.1])
    before, layers = predict_heads(network, validation), len(network.layers)
    temperature = bake_temperature(network, validation)
    after = predict_heads(network, validation)
    assert temperature == fit_temperature(validation.labels, before["label"]) != 1.0
    np.testing.assert_allclose(after["label"], with_temperature(before["label"], temperature), rtol=1e-4)
    np.testing.assert_array_equal(after["label"].argmax(axis=1), before["label"].argmax(axis=1))
    assert len(network.layers) == layers
    if boxes:
        np.testing.assert_array_equal(after["box"], before["box"])


def test_a_model_with_another_last_layer_stays_as_it_is(tmp_path: Path) -> None:
    validation = open_split(make_arrays(tmp_path / "dots") / "validation")
    image = keras.Input(SHAPE, dtype="uint8")
    logits = keras.layers.Dense(3)(keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(image)))
    network = keras.Model(image, {"label": keras.layers.Softmax(name="label")(logits)})
    before = network.get_weights()
    assert bake_temperature(network, validation) == 1.0
    assert all(np.array_equal(one, other) for one, other in zip(before, network.get_weights(), strict=True))


def test_the_temperature_of_a_seed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "cnn" / "calibration.json"
    path.parent.mkdir()
    path.write_text('{"temperature": {"3": 1.5}}')
    assert load_temperature(path, 3) == 1.5


@pytest.mark.parametrize("content", [None, "", "{}", '{"temperature": 2}', '{"temperature": {"4": "warm"}}'])
def test_a_model_without_its_temperature_is_to_be_trained_again(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "cnn" / "calibration.json"
    path.parent.mkdir()
    if content is not None:
        path.write_text(content)
    with pytest.raises(PodiumError, match=r"of seed 4: .* Run `dvc repro train@cnn`"):
        load_temperature(path, 4)
