"""Predict two splits with a trained model, and nothing more: `bare_predict.py MODEL FOLDER...`."""

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np

model = keras.saving.load_model(sys.argv[1], compile=False)
for folder in map(Path, sys.argv[2:]):
    images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    predicted = model.predict(images, batch_size=64, verbose=0)["label"].argmax(axis=1)
    print(folder.name, (predicted == labels).mean())
