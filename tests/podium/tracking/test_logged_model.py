import base64
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import mlflow
import mlflow.tensorflow
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from mlflow.types import ColSpec

from podium.datasets.arrays import open_split
from podium.errors import PodiumError
from podium.models.files import load_model
from podium.models.inference import predict, predict_heads
from podium.tracking.logged_model import download_version, load_version, log_model
from tests.logged import THRESHOLD, evaluate, log_evaluated, save_new_model
from tests.makers import REPOSITORY, SIDE, make_arrays
from tests.trained import Trained, Unreliable, describe_runs, find_runs

pytestmark = pytest.mark.slow

NAME = "digits-dense"


@dataclass(frozen=True)
class Logged:
    """A model that was logged to a run, and is a version of a registered model."""

    client: MlflowClient
    run: Run
    registered: ModelVersion
    root: Path
    folder: Path
    """Of what was fetched of it."""

    @property
    def path(self) -> Path:
        return self.root / "model.keras"

    @property
    def processed(self) -> Path:
        return self.root / "dots"

    @property
    def uri(self) -> str:
        (model,) = self.run.outputs.model_outputs
        return f"models:/{model.model_id}"

    @property
    def has_box(self) -> bool:
        return open_split(self.processed / "validation").boxes is not None


LABEL_ALONE = pytest.param("label", marks=pytest.mark.soak)  # every flow logs one


@pytest.fixture(scope="module", params=[LABEL_ALONE, "label and box"])
def logged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Logged]:
    root = tmp_path_factory.mktemp("logged")
    boxes = request.param == "label and box"
    client = MlflowClient(f"sqlite:///{shutil.copy(store, root)}")
    experiment = client.create_experiment("dots", artifact_location=(root / "artifacts").as_uri())
    run_id = client.create_run(experiment, run_name="dots-dense").info.run_id
    client.log_param(run_id, "model", "dense")
    for name, value in {"test/accuracy": 0.5, "test/accuracy/low": 0.4, "curve/loss": 1.0}.items():
        client.log_metric(run_id, name, value)
    processed = make_arrays(root / "dots", boxes=boxes)
    save_new_model(root / "model.keras", (SIDE, SIDE, 1), {"label": 3} | ({"box": 4} if boxes else {}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow puts its address there; it goes with the fixture
        run = log_evaluated(client, client.get_run(run_id), root / "model.keras", processed, root / "reports")
        mlflow.set_tracking_uri(client.tracking_uri)
        client.create_registered_model("dots")
        model_id = run.outputs.model_outputs[0].model_id
        registered = client.create_model_version("dots", f"models:/{model_id}", run_id, model_id=model_id)
        yield Logged(client, run, registered, root, download_version(client, registered, root / "fetched"))


def test_a_model_is_ready_and_has_the_name_the_params_and_the_metrics_of_its_run(logged: Logged) -> None:
    model = logged.client.get_logged_model(logged.uri.removeprefix("models:/"))
    assert (model.name, model.status, model.source_run_id) == ("dots-dense", "READY", logged.run.info.run_id)
    assert model.params == {"model": "dense"}
    assert [(metric.key, metric.value) for metric in model.metrics] == [("test/accuracy", 0.5)]
    assert len(logged.client.get_metric_history(logged.run.info.run_id, "test/accuracy")) == 1


def test_a_signature_names_the_column_of_images_and_what_is_answered(logged: Logged) -> None:
    signature = mlflow.models.get_model_info(logged.uri).signature
    assert signature.inputs.inputs == [ColSpec("string", "image")]
    outputs = ["label", "probability", "unsure", "probabilities", "error", *(["box"] if logged.has_box else [])]
    assert signature.outputs.input_names() == outputs


def test_the_example_is_a_golden_image_that_the_model_answers(logged: Logged) -> None:
    example = Model.load(str(logged.folder)).load_input_example(str(logged.folder))
    assert base64.b64decode(example["image"][0]) == (logged.folder / "artifacts/golden/0.png").read_bytes()
    serving = json.loads((logged.folder / "serving_input_example.json").read_text())
    assert serving == {"dataframe_split": {"columns": ["image"], "data": [[example["image"][0]]]}}
    (answer,) = mlflow.pyfunc.load_model(logged.uri).predict(example)
    assert answer["label"] in ("left", "right", "both")


def test_the_requirements_are_what_a_model_needs_in_the_versions_that_made_it(logged: Logged) -> None:
    requirements = (logged.folder / "requirements.txt").read_text().split()
    packages = ("keras", "mlflow", "numpy", "opencv-python-headless", "pandas", "pillow")
    installed = {f"{package}=={version(package)}" for package in packages}
    assert {*requirements} == installed | {f"tensorflow=={tf.__version__}"}


def test_the_files_say_what_the_model_answers_with(logged: Logged) -> None:
    known = json.loads((logged.folder / "artifacts/classes.json").read_text())
    assert known == {
        "classes": ["left", "right", "both"],
        "image": {"height": SIDE, "width": SIDE, "channels": 1, "resize": "stretch"},
        "threshold": THRESHOLD,
        "boxes": logged.has_box,
    }
    assert mlflow.models.get_model_info(logged.uri).metadata == {"classes": ["left", "right", "both"]}
    assert (logged.folder / "artifacts/README.md").read_text() == "# A model\n"


def test_the_weights_are_there_once_and_every_file_has_its_digest(logged: Logged) -> None:
    digests = json.loads((logged.folder / "artifacts/digests.json").read_text())
    files = {str(path.relative_to(logged.folder)) for path in logged.folder.rglob("*") if path.is_file()}
    assert files - digests.keys() == {"MLmodel", "artifacts/digests.json"}
    for name, digest in digests.items():
        assert hashlib.sha256((logged.folder / name).read_bytes()).hexdigest() == digest, name
    (weights,) = (name for name in files if name.endswith((".keras", ".h5")))
    assert (logged.folder / weights).read_bytes() == logged.path.read_bytes()


def test_no_file_holds_a_pickle_or_a_place_of_this_machine(logged: Logged) -> None:
    files = [path for path in logged.folder.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".cloudpickle", ".pyc")]
    for path in files:
        data = path.read_bytes()
        assert not data.startswith(b"\x80"), path
        assert str(logged.root).encode() not in data, path
        assert str(REPOSITORY).encode() not in data, path


@pytest.mark.parametrize("form", ["arrays", "files", "texts"])
def test_a_loaded_model_answers_as_the_file_does(logged: Logged, form: str) -> None:
    test = open_split(logged.processed / "test")
    images = [np.asarray(image) for image in test.images[:7]]
    if form != "arrays":
        images = [tf.io.encode_png(image).numpy() for image in images]
    if form == "texts":
        images = [base64.b64encode(image).decode() for image in images]
    answers = mlflow.pyfunc.load_model(logged.uri).predict(pd.DataFrame({"image": images}))
    heads = predict_heads(load_model(logged.path), test)
    said = np.array([[*answer["probabilities"].values()] for answer in answers])
    np.testing.assert_allclose(said, heads["label"][:7], atol=1e-6)
    assert [answer["unsure"] for answer in answers] == (heads["label"][:7].max(axis=1) < THRESHOLD).tolist()
    if logged.has_box:
        corners = np.concatenate([heads["box"][:, :2], heads["box"][:, :2] + heads["box"][:, 2:]], axis=1)
        np.testing.assert_allclose([answer["box"] for answer in answers], corners[:7], atol=1e-5)


def test_keras_gets_the_same_weights_from_the_other_flavor(logged: Logged) -> None:
    test = open_split(logged.processed / "test")
    loaded = mlflow.tensorflow.load_model(logged.uri)
    np.testing.assert_array_equal(predict(load_model(logged.path), test), predict(loaded, test))


WITHOUT_PODIUM = """
import sys
sys.modules["podium"] = None
import pathlib, mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
data = pathlib.Path(sys.argv[1], "artifacts/golden/0.png").read_bytes()
answers = model.predict({"image": [data, b"no image"]})
assert answers[0]["label"] and not answers[0]["error"], answers
assert answers[1]["label"] is None and answers[1]["error"], answers
assert not [name for name, module in sys.modules.items() if name.startswith("podium.")]
"""


def test_a_model_loads_where_podium_cannot_be_imported(logged: Logged, tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-c", WITHOUT_PODIUM, str(logged.folder)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


LOGS_ALONE = """
import sys
from pathlib import Path
from mlflow import MlflowClient
from podium.config.datasets import Image
from podium.tracking.logged_model import log_model
uri, run_id, root, side = sys.argv[1:]
client, root = MlflowClient(uri), Path(root)
image = Image(int(side), int(side), 1, "stretch")
log_model(client, client.get_run(run_id), root / "model.keras", root / "dots", root / "reports", image)
assert not {"tensorflow", "keras"} & sys.modules.keys()
"""


def test_a_model_is_logged_without_tensorflow(logged: Logged, tmp_path: Path) -> None:
    run = logged.client.create_run(logged.run.info.experiment_id, run_name="again")
    arguments = [logged.client.tracking_uri, run.info.run_id, str(logged.root), str(SIDE)]
    done = subprocess.run([sys.executable, "-c", LOGS_ALONE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_version_answers_as_the_file_does(logged: Logged) -> None:
    test = open_split(logged.processed / "test")
    model = load_version(logged.client, logged.registered)
    np.testing.assert_array_equal(predict(model, test), predict(load_model(logged.path), test))


def test_a_version_is_fetched_from_the_clients_store_wherever_the_process_points(
    logged: Logged, tmp_path: Path
) -> None:
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    try:
        fetched = download_version(logged.client, logged.registered, tmp_path / "fetched")
    finally:
        mlflow.set_tracking_uri(logged.client.tracking_uri)
    assert (fetched / "MLmodel").read_bytes() == (logged.folder / "MLmodel").read_bytes()
    assert not (tmp_path / "elsewhere.db").exists()


@dataclass(frozen=True)
class Old:
    """A project's store, and how an older podium logged to it: by MLflow's own flavor of TensorFlow."""

    client: MlflowClient
    experiment: str

    def register(self, model: Any) -> ModelVersion:
        run_id = self.client.create_run(self.experiment).info.run_id
        logged = self.client.create_logged_model(self.experiment, "old", source_run_id=run_id)
        mlflow.set_tracking_uri(self.client.tracking_uri)
        mlflow.tensorflow.log_model(model, model_id=logged.model_id, run_id=run_id, pip_requirements=["keras"])
        self.client.create_registered_model("dots")
        return self.client.create_model_version("dots", f"models:/{logged.model_id}", run_id)


@pytest.fixture
def old(tmp_path: Path, store: Path) -> Old:
    client = MlflowClient(f"sqlite:///{shutil.copy(store, tmp_path)}")
    return Old(client, client.create_experiment("dots", artifact_location=(tmp_path / "artifacts").as_uri()))


def test_a_version_of_an_older_podium_answers_as_its_file_does(old: Old, tmp_path: Path) -> None:
    save_new_model(tmp_path / "model.keras", (SIDE, SIDE, 1), {"label": 3})
    model = load_version(old.client, old.register(load_model(tmp_path / "model.keras")))
    test = open_split(make_arrays(tmp_path / "dots") / "test")
    np.testing.assert_array_equal(predict(model, test), predict(load_model(tmp_path / "model.keras"), test))


def test_a_version_that_brings_code_is_refused(old: Old) -> None:
    image = keras.Input((SIDE, SIDE, 1))
    registered = old.register(keras.Model(image, keras.layers.Lambda(lambda pixels: pixels * 2)(image)))
    with pytest.raises(PodiumError, match=r"[Ll]ambda"):
        load_version(old.client, registered)


@pytest.fixture
def with_model(trained: Trained) -> Trained:
    """A project in which one model is one, and no run is opened yet."""
    paths = trained.paths(NAME)
    save_new_model(trained.root / paths.model, (8, 8, 1), {"label": 10})
    evaluate(trained.root / paths.model, trained.root / "data/processed/digits", trained.root / paths.reports)
    trained.lock()
    return trained


def the_run(project: Trained) -> Any:
    (run,) = find_runs(project.client, NAME)
    return run


def statuses(project: Trained) -> list[str]:
    run = the_run(project)
    mine = f"source_run_id = '{run.info.run_id}'"
    found = project.client.search_logged_models([run.info.experiment_id], mine)
    return sorted(str(one.status) for one in found)


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
    assert statuses(with_model) == ["FAILED", "READY"]


def test_whatever_call_fails_the_run_has_one_ready_model_in_the_end(with_model: Trained) -> None:
    root, paths = with_model.root, with_model.paths(NAME)
    reports, processed = root / paths.reports, root / "data/processed/digits"
    image = with_model.page.dataset("digits").image
    client, number = with_model.client, 0
    while True:
        number += 1
        place = (root / f"artifacts-{number}").as_uri()
        run = client.create_run(client.create_experiment(f"digits-{number}", place), run_name=NAME)
        unreliable = Unreliable(client, number)
        try:
            log_model(unreliable, run, root / paths.model, processed, reports, image)  # type: ignore[arg-type]
        except MlflowException:
            log_model(client, run, root / paths.model, processed, reports, image)
        found = client.search_logged_models([run.info.experiment_id])
        assert [one.status for one in found].count("READY") == 1, f"call {number}"
        (ready,) = (one.model_id for one in found if one.status == "READY")
        assert ready in [one.model_id for one in client.get_run(run.info.run_id).outputs.model_outputs]
        if len(unreliable.calls) < number:
            break
    assert unreliable.calls[-1] == "finalize_logged_model"


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
