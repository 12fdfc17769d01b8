"""A trained model as MLflow keeps it: with its signature, an example, and what it needs to run."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from podium.arrays import load_classes, open_split


def log_model(client: MlflowClient, run: Run, name: str, path: Path, processed: Path) -> None:
    """Log a model to a run, in the form that `mlflow models serve` and the registry take.

    Args:
        client: where to.
        run: the run that trained it.
        name: the candidate's.
        path: the model file.
        processed: the dataset's arrays; the example is the first picture of the validation split.
    """
    # TensorFlow: five seconds to import, and needed only where there is a new model.
    import mlflow.tensorflow

    from podium.models import load_model  # isort: split - it imports TensorFlow without its greetings

    pictures = open_split(processed / "validation").images
    classes = load_classes(processed)
    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.uint8), (-1, *pictures.shape[1:]))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, len(classes)), "label")]),
    )
    mlflow.set_tracking_uri(client.tracking_uri)  # log_model has no other way to be told
    logged = client.create_logged_model(
        run.info.experiment_id, name, source_run_id=run.info.run_id, params=dict(run.data.params)
    )
    mlflow.tensorflow.log_model(
        load_model(path),
        name=name,
        model_id=logged.model_id,
        run_id=run.info.run_id,
        signature=signature,
        input_example=np.asarray(pictures[:1]),
        pip_requirements=[f"{package}=={version(package)}" for package in ("keras", "mlflow", "numpy")]
        + [f"tensorflow=={_tensorflow_version()}"],
        metadata={"classes": classes},
    )


def _tensorflow_version() -> str:
    import tensorflow as tf  # loaded already, with the model

    found: str = tf.__version__
    return found
