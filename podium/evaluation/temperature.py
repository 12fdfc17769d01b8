"""The temperature: by how much a model's confidence is to be lowered, or raised, to be what validation bears out.

C. Guo et al., "On Calibration of Modern Neural Networks", 2017, arXiv:1706.04599: the logits are divided by one number,
which changes no answer. scipy finds it.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp

LEAST_IMAGES = 30
"""Fewer images do not tell a temperature: it stays 1."""

BOUNDS = (0.25, 20.0)
"""No model is made more than four times as sharp; one beyond 20 knows nothing."""

_CELLS = 10_000_000
"""Probabilities that are looked at: 80 MB. One number needs no more than 1,000 images of 10,000 classes."""

_BLOCK_CELLS = 2_000_000
"""Probabilities that are changed at a time."""


def fit_temperature(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> float:
    """Find the temperature that makes a model's probabilities the likeliest.

    Where (nearly) all images are right, the likeliest temperature is 0: certainty. So each image's target leaves
    1 / (n + 2) to the other classes, as J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999, does with
    two classes. It is shared among them as the model does: evenly, thousands of classes that are out of the question
    would raise the temperature (seen: 2.6 for 2.0, with 24 classes and 50 images).

    Args:
        labels: (n,) the true classes of images that the model was not trained on.
        probabilities: (n, classes), each row with the sum 1.

    Returns:
        The temperature within `BOUNDS`, with four digits after the point; 1.0 if there are fewer than `LEAST_IMAGES`
        images or two classes.
    """
    count, classes = probabilities.shape
    if count < LEAST_IMAGES or classes < 2:
        return 1.0
    rows = np.arange(0, count, -(-count * classes // _CELLS))
    logs, labels = _logs(probabilities[rows]), np.asarray(labels)[rows]
    place = np.arange(len(rows))
    own = logs[place, labels]
    others = logs.copy()
    others[place, labels] = -np.inf
    shares = np.exp(others - logsumexp(others, axis=1, keepdims=True))
    doubt = 1 / (count + 2)
    aim = np.mean((1 - doubt) * own + doubt * np.sum(shares * logs, axis=1))

    most = logs.max(axis=1, keepdims=True)
    less, aim = logs - most, aim - np.mean(most)

    def loss(sharpness: float) -> float:
        return float(np.mean(np.log(np.sum(np.exp(sharpness * less), axis=1))) - sharpness * aim)

    bounds = (1 / BOUNDS[1], 1 / BOUNDS[0])
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-5})
    return round(float(np.clip(1 / found.x, *BOUNDS)), 4)


def with_temperature(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Give the probabilities, (n, classes), that a model would have given with its logits divided by a temperature.

    With 1 / T it takes back what T did.

    Example:
        >>> with_temperature(np.array([[0.8, 0.2]], np.float32), 2.0).round(3)
        array([[0.667, 0.333]], dtype=float32)
    """
    if temperature == 1.0:
        return probabilities
    changed = np.empty_like(probabilities, np.float32)
    step = max(1, _BLOCK_CELLS // probabilities.shape[1])
    for begin in range(0, len(probabilities), step):
        rows = slice(begin, begin + step)
        changed[rows] = np.exp(log_softmax(_logs(probabilities[rows]) / temperature, axis=1))
    return changed


def _logs(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give logarithms; a zero was a number too small for its 32 bits."""
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny).astype(np.float64))
