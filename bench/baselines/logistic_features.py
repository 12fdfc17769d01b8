"""The quick way to a classifier: a logistic regression on what MobileNet, as it is, sees in the images.

`python logistic_features.py ARRAYS WEIGHTS` prints the accuracy on the test split. How strongly it is regularised is
chosen by cross-validation on the train split.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def main(arrays: Path, weights: str) -> None:
    base = keras.applications.MobileNet(include_top=False, weights=None, pooling="avg", input_shape=(224, 224, 3))
    base.load_weights(weights)
    (train, labels), (test, truth) = (load(arrays / split, base) for split in ("train", "test"))
    strengths = np.logspace(-5, 1, 13)
    model = make_pipeline(StandardScaler(), LogisticRegressionCV(Cs=strengths, cv=5, max_iter=2000))
    print(f"{model.fit(train, labels).score(test, truth):.4f}")


def load(split: Path, base: keras.Model) -> tuple[np.ndarray, np.ndarray]:
    images = np.load(split / "images.npy")
    features = [base.predict(images[n : n + 64] / 127.5 - 1, verbose=0) for n in range(0, len(images), 64)]
    return np.concatenate(features), np.load(split / "labels.npy")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
