import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from podium.datasets.arrays import Split, open_split
from podium.errors import PodiumError
from podium.models import zoo
from podium.models.files import load_model, save_model
from podium.models.inference import PREDICT_BATCH, evaluation_dataset, make_targets, predict, predict_heads
from tests.makers import DENSE, MOBILENET, SIDE, make_arrays

pytestmark = pytest.mark.slow


def build(options: object) -> keras.Model:
    """Build a model as a fresh interpreter would."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    return zoo.build(options, (SIDE, SIDE, 1), {"label": 3})


@pytest.mark.parametrize("options", [DENSE, MOBILENET], ids=["dense", "mobilenet"])
def test_the_same_weights_give_the_same_bytes_whenever_and_wherever_in_memory(tmp_path: Path, options: object) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first = build(options)  # kept, so that the second stands elsewhere in memory
    save_model(first, one)
    save_model(build(options), two)
    assert one.read_bytes() == two.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    with zipfile.ZipFile(one) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01" in archive.read("metadata.json")


def test_a_model_predicts_the_same_after_it_was_read_again(tmp_path: Path) -> None:
    model, split = build(DENSE), open_split(make_arrays(tmp_path / "dots") / "test")
    save_model(model, tmp_path / "model.keras")
    np.testing.assert_array_equal(predict(load_model(tmp_path / "model.keras"), split), predict(model, split))


def test_the_optimizer_stays_out_of_the_file(tmp_path: Path) -> None:
    model = build(DENSE)
    save_model(model, tmp_path / "before.keras")
    model.compile(optimizer="adam", loss={"label": "sparse_categorical_crossentropy"})
    model.fit(np.zeros((2, SIDE, SIDE, 1), np.uint8), {"label": np.zeros(2)}, verbose=0)
    save_model(model, tmp_path / "after.keras")
    sizes = []
    for name in ("before", "after"):
        with zipfile.ZipFile(tmp_path / f"{name}.keras") as archive:
            sizes.append(archive.getinfo("model.weights.h5").file_size)
    assert sizes[0] == sizes[1]


def test_a_model_that_brings_code_is_refused(tmp_path: Path) -> None:
    image = keras.Input((2,))
    code = keras.layers.Lambda(lambda x: x, name="label")(image)
    keras.Model(image, {"label": code}).save(tmp_path / "model.keras")
    with pytest.raises(PodiumError, match="arbitrary code execution"):
        load_model(tmp_path / "model.keras")


@pytest.mark.parametrize("count", [1, PREDICT_BATCH, 2 * PREDICT_BATCH + 3])
def test_every_image_is_shown_once_and_in_order(count: int) -> None:
    images = (np.arange(count, dtype=np.uint32).view(np.uint8)).reshape(count, 4, 1, 1)
    split = Split(images, np.arange(count), np.array(["x"] * count))
    batches = [*evaluation_dataset(split).as_numpy_iterator()]
    assert len(batches) == evaluation_dataset(split).cardinality() == -(-count // PREDICT_BATCH)
    np.testing.assert_array_equal(np.concatenate([shown for shown, _ in batches]), images)
    np.testing.assert_array_equal(np.concatenate([labels["label"] for _, labels in batches]), np.arange(count))


def test_predictions_stand_in_the_order_of_the_images() -> None:
    image = keras.Input((3, 1, 1), dtype="uint8")
    numbers = keras.layers.Rescaling(1.0, name="label")(keras.layers.Flatten()(image))
    images = np.random.default_rng(0).integers(0, 256, (600, 3, 1, 1), dtype=np.uint8)
    split = Split(images, np.zeros(600, np.int64), np.array(["x"] * 600))
    np.testing.assert_array_equal(predict(keras.Model(image, {"label": numbers}), split), images.reshape(600, 3))


def test_boxes_are_asked_for_as_shares_and_given_in_pixels() -> None:
    """A model that answers with the four pixels of its image, as shares of 200."""
    image = keras.Input((2, 4, 1), dtype="uint8")
    first = keras.layers.Flatten()(keras.layers.Cropping2D(((0, 1), (0, 0)))(image))
    box = keras.layers.Rescaling(1 / 200, name="box")(first)
    label = keras.layers.Rescaling(1.0, name="label")(first)
    images = np.array([[10, 20, 110, 170], [100, 100, 40, 200]], np.uint8).reshape(2, 1, 4, 1).repeat(2, axis=1)
    boxes = np.array([[0.2, 0.2, 2, 1.5], [2, 1, -1.2, 1]], np.float32)  # left, top, width, height of 4 × 2 pixels
    split = Split(images, np.arange(2), np.array(["x", "y"]), boxes)
    heads = predict_heads(keras.Model(image, {"label": label, "box": box}), split)
    np.testing.assert_allclose(heads["box"], boxes, atol=1e-6)
    ((_, shown),) = evaluation_dataset(split).as_numpy_iterator()
    np.testing.assert_allclose(shown["box"], [[0.05, 0.1, 0.55, 0.85], [0.5, 0.5, 0.2, 1]], atol=1e-6)
    assert (shown["box"].dtype, shown["label"].tolist()) == (np.float32, [0, 1])
    assert [*make_targets(split.labels, None, split)] == ["label"]
