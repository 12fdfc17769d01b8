"""A trained model as MLflow keeps it: with its signature, an example, and what it needs to run.

This module imports TensorFlow, five seconds of it: import it inside the function that needs it, after
`podium.models.runtime.prepare`.
"""

from importlib.metadata import version
from pathlib import Path

import keras
import mlflow
import mlflow.tensorflow
import numpy as np
import tensorflow as tf
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from podium.datasets.arrays import load_classes, open_split
from podium.models.files import load_model


def log_model(client: MlflowClient, run: Run, path: Path, processed: Path) -> None:
    """Log a model to the run that trained it, in the form that `mlflow models serve` and the registry take.

    Args:
        client: where to.
        run: the run. The model gets its name and its params.
        path: the model file.
        processed: the dataset's arrays; the example is the first image of the validation split.
    """
    validation = open_split(processed / "validation")
    images = validation.images
    classes = load_classes(processed)
    outputs = {"label": len(classes)} | ({} if validation.boxes is None else {"box": 4})
    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.uint8), (-1, *images.shape[1:]))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, size), name) for name, size in outputs.items()]),
    )
    logged = client.create_logged_model(
        run.info.experiment_id, run.info.run_name, source_run_id=run.info.run_id, params=dict(run.data.params)
    )
    mlflow.set_tracking_uri(client.tracking_uri)  # log_model has no other way to be told
    mlflow.tensorflow.log_model(
        load_model(path),
        name=run.info.run_name,
        model_id=logged.model_id,
        run_id=run.info.run_id,
        signature=signature,
        input_example=np.asarray(images[:1]),
        pip_requirements=[f"{package}=={version(package)}" for package in ("keras", "mlflow", "numpy")]
        + [f"tensorflow=={tf.__version__}"],
        metadata={"classes": classes},
    )


def load_version(client: MlflowClient, registered: ModelVersion) -> keras.Model:
    """Load a version of a registered model."""
    mlflow.set_tracking_uri(client.tracking_uri)
    return mlflow.tensorflow.load_model(
        f"models:/{registered.name}/{registered.version}", keras_model_kwargs={"compile": False, "safe_mode": True}
    )
