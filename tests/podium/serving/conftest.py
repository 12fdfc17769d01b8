"""A real model in a registry, for the tests of all that serves it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[Path]:
    """A folder with a store `mlflow.db`, of which `dots@champion` is a model with boxes, and its files in `model`.

    Tests only read it. It takes TensorFlow: for modules that are marked as slow.
    """
    import mlflow
    from mlflow import MlflowClient

    from podium.tracking.logged_model import download_version
    from tests.logged import log_evaluated, save_new_model
    from tests.makers import SIDE, make_arrays

    root = tmp_path_factory.mktemp("served")
    client = MlflowClient(f"sqlite:///{shutil.copy(store, root / 'mlflow.db')}")
    run = client.create_run(client.create_experiment("dots", artifact_location=(root / "artifacts").as_uri()))
    processed = make_arrays(root / "dots", boxes=True)
    save_new_model(root / "model.keras", (SIDE, SIDE, 1), {"label": 3, "box": 4})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")  # MLflow puts its address there; it goes with the fixture
        run = log_evaluated(client, run, root / "model.keras", processed, root / "reports", "pad")
        mlflow.set_tracking_uri(client.tracking_uri)
        client.create_registered_model("dots")
        model_id = run.outputs.model_outputs[0].model_id
        version = client.create_model_version("dots", f"models:/{model_id}", run.info.run_id, model_id=model_id)
        client.set_registered_model_alias("dots", "champion", version.version)
        download_version(client, version, root / "fetched").rename(root / "model")
        yield root
