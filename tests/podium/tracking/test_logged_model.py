import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pytest
import tensorflow as tf
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, Run
from mlflow.models import Model
from mlflow.types import TensorSpec

from podium.datasets.arrays import open_split
from podium.models import zoo
from podium.models.files import load_model, save_model
from podium.models.inference import predict, predict_heads
from podium.tracking.logged_model import load_version, log_model
from tests.makers import DENSE, SIDE, make_arrays
from tests.trained import Trained, describe_runs, find_runs

pytestmark = pytest.mark.slow

NAME = "digits-dense"


@dataclass(frozen=True)
class Logged:
    """A model that was logged to a run."""

    client: MlflowClient
    run: Run
    path: Path
    processed: Path

    @property
    def uri(self) -> str:
        (model,) = self.run.outputs.model_outputs
        return f"models:/{model.model_id}"

    @property
    def has_box(self) -> bool:
        return open_split(self.processed / "validation").boxes is not None


def save_new_model(path: Path, shape: tuple[int, int, int], targets: dict[str, int]) -> None:
    keras.utils.set_random_seed(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_model(zoo.build(DENSE, shape, targets), path)


@pytest.fixture(scope="module", params=["label", "label and box"])
def logged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Logged]:
    root = tmp_path_factory.mktemp("logged")
    boxes = request.param == "label and box"
    client = MlflowClient(f"sqlite:///{shutil.copy(store, root)}")
    experiment = client.create_experiment("dots", artifact_location=(root / "artifacts").as_uri())
    run_id = client.create_run(experiment, run_name="dots-dense").info.run_id
    client.log_param(run_id, "model", "dense")
    processed = make_arrays(root / "dots", boxes=boxes)
    save_new_model(root / "model.keras", (SIDE, SIDE, 1), {"label": 3} | ({"box": 4} if boxes else {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow puts its address there; it goes with the fixture
        log_model(client, client.get_run(run_id), root / "model.keras", processed)
        yield Logged(client, client.get_run(run_id), root / "model.keras", processed)


def test_a_model_is_ready_and_has_the_name_and_the_params_of_its_run(logged: Logged) -> None:
    model = logged.client.get_logged_model(logged.uri.removeprefix("models:/"))
    assert (model.name, model.status, model.source_run_id) == ("dots-dense", "READY", logged.run.info.run_id)
    assert model.params == {"model": "dense"}


def test_a_signature_names_raw_pixels_and_every_output(logged: Logged) -> None:
    signature = mlflow.models.get_model_info(logged.uri).signature
    assert signature.inputs.inputs == [TensorSpec(np.dtype(np.uint8), (-1, SIDE, SIDE, 1))]
    outputs = [TensorSpec(np.dtype(np.float32), (-1, 3), "label")]
    if logged.has_box:
        outputs.append(TensorSpec(np.dtype(np.float32), (-1, 4), "box"))
    assert signature.outputs.inputs == outputs


def test_the_example_is_the_first_validation_image(logged: Logged) -> None:
    folder = mlflow.artifacts.download_artifacts(logged.uri)
    example = Model.load(folder).load_input_example(folder)
    np.testing.assert_array_equal(example, open_split(logged.processed / "validation").images[:1])
    assert example.dtype == np.uint8


def test_the_metadata_names_the_classes_in_the_order_of_the_outputs(logged: Logged) -> None:
    assert mlflow.models.get_model_info(logged.uri).metadata == {"classes": ["left", "right", "both"]}


def test_the_requirements_are_what_a_model_needs_in_the_versions_that_made_it(logged: Logged) -> None:
    requirements = Path(mlflow.artifacts.download_artifacts(logged.uri), "requirements.txt").read_text().split()
    installed = {f"{package}=={version(package)}" for package in ("keras", "mlflow", "numpy")}
    assert {*requirements} == installed | {f"tensorflow=={tf.__version__}"}


def test_a_loaded_model_answers_as_the_file_does(logged: Logged) -> None:
    test = open_split(logged.processed / "test")
    expected = load_model(logged.path).predict(np.asarray(test.images), verbose=0)
    assert expected.keys() == ({"label", "box"} if logged.has_box else {"label"})
    served = mlflow.pyfunc.load_model(logged.uri).predict(np.asarray(test.images))
    loaded = mlflow.tensorflow.load_model(logged.uri)
    np.testing.assert_array_equal(predict(load_model(logged.path), test), predict(loaded, test))
    for name, answers in expected.items():
        np.testing.assert_allclose(served[name], answers, atol=1e-6)
    np.testing.assert_allclose(served["label"], predict_heads(loaded, test)["label"], atol=1e-6)


def test_a_version_answers_as_the_file_does(logged: Logged) -> None:
    logged.client.create_registered_model("dots")
    registered = logged.client.create_model_version("dots", logged.uri, logged.run.info.run_id)
    test = open_split(logged.processed / "test")
    np.testing.assert_array_equal(
        predict(load_version(logged.client, registered), test), predict(load_model(logged.path), test)
    )


@pytest.mark.usefixtures("no_address")
def test_a_version_that_brings_code_is_refused(tmp_path: Path, store: Path) -> None:
    client = MlflowClient(f"sqlite:///{shutil.copy(store, tmp_path)}")
    experiment = client.create_experiment("dots", artifact_location=(tmp_path / "artifacts").as_uri())
    run_id = client.create_run(experiment).info.run_id
    image = keras.Input((SIDE, SIDE, 1))
    model = keras.Model(image, keras.layers.Lambda(lambda pixels: pixels * 2)(image))
    logged = client.create_logged_model(experiment, "code", source_run_id=run_id)
    mlflow.set_tracking_uri(client.tracking_uri)
    mlflow.tensorflow.log_model(model, model_id=logged.model_id, run_id=run_id, pip_requirements=["keras"])
    client.create_registered_model("dots")
    registered = client.create_model_version("dots", f"models:/{logged.model_id}", run_id)
    with pytest.raises(ValueError, match=r"[Ll]ambda"):
        load_version(client, registered)


@pytest.fixture
def with_model(trained: Trained) -> Trained:
    """A project in which one model is one, and no run is opened yet."""
    save_new_model(trained.root / trained.paths(NAME).model, (8, 8, 1), {"label": 10})
    trained.lock()
    return trained


def the_run(project: Trained) -> Any:
    (run,) = find_runs(project.client, NAME)
    return run


def test_a_publication_logs_the_model_once(with_model: Trained) -> None:
    first = with_model.ledger.publish(NAME)
    before = describe_runs(with_model)
    assert first.is_new
    assert before[0]["models"] == [(NAME, "READY")]
    assert with_model.client.get_logged_model(first.model_id).params == the_run(with_model).data.params
    again = with_model.ledger.publish(NAME)
    assert (again.model_id, again.is_new) == (first.model_id, False)
    assert describe_runs(with_model) == before


def test_a_model_that_a_kill_left_half_logged_is_not_taken(with_model: Trained) -> None:
    follower = with_model.ledger.follow(NAME)
    with_model.write_history(NAME, 1)
    follower._look()
    run = the_run(with_model)
    half = with_model.client.create_logged_model(run.info.experiment_id, NAME, source_run_id=run.info.run_id)
    with_model.client.log_outputs(run.info.run_id, [LoggedModelOutput(half.model_id, 0)])
    result = with_model.ledger.publish(NAME)
    assert result.run_id == run.info.run_id
    assert result.model_id != half.model_id
    assert with_model.client.get_logged_model(result.model_id).status == "READY"


def test_a_model_that_could_not_be_stored_is_logged_by_the_next_publication(with_model: Trained) -> None:
    blocked = with_model.root / "mlflow-artifacts/digits/models"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where MLflow keeps the files of models")
    with pytest.raises(OSError, match="models"):
        with_model.ledger.publish(NAME)
    assert the_run(with_model).info.status == "RUNNING"
    blocked.unlink()
    result = with_model.ledger.publish(NAME)
    assert (result.run_id, result.is_new) == (the_run(with_model).info.run_id, True)
    assert with_model.client.get_logged_model(result.model_id).status == "READY"
