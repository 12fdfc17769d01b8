"""Calibration at the end of a training: the temperature that validation asks for goes into the model's last layer."""

import json
import logging
from pathlib import Path

import keras

from podium.datasets.arrays import Split
from podium.errors import PodiumError
from podium.evaluation.temperature import fit_temperature
from podium.models.inference import LABEL_LAYER, predict

logger = logging.getLogger(__name__)


def bake_temperature(model: keras.Model, validation: Split) -> float:
    """Divide a trained model's logits by the temperature that its validation images ask for.

    Kernel and bias of the last layer are divided, so the model has no layer more, whoever runs it needs to know
    nothing, and it answers the same with another confidence. The validation split is seen once.

    Args:
        model: it is changed. One whose `label` is not a dense layer with a softmax stays as it is.
        validation: the images that the training only looked at.

    Returns:
        The temperature, 1.0 where nothing was changed; see `podium.evaluation.temperature.fit_temperature`.
    """
    layer = next((layer for layer in model.layers if layer.name == LABEL_LAYER), None)
    if not isinstance(layer, keras.layers.Dense) or layer.activation is not keras.activations.softmax:
        logger.info("%s has no dense layer '%s' with a softmax: it is not calibrated", model.name, LABEL_LAYER)
        return 1.0
    temperature = fit_temperature(validation.labels, predict(model, validation))
    if temperature != 1.0:
        layer.set_weights([weight / temperature for weight in layer.get_weights()])
    return temperature


def load_temperature(path: Path, seed: int) -> float:
    """Read the temperature that a model was given, from the `calibration.json` that `train` wrote beside it.

    Raises:
        PodiumError: the file is not there, or does not say it.
    """
    try:
        return float(json.loads(path.read_text(encoding="utf-8"))["temperature"][str(seed)])
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise PodiumError(
            f"{path} does not say the temperature of seed {seed}: the candidate is not trained, or another version of "
            f"podium trained it. Run `dvc repro train@{path.parent.name}`."
        ) from error
