"""Train the tutorials' network by a plain `fit` on arrays in memory, and write each epoch's images a second.

python fit_arrays.py FOLDER_OF_ARRAYS EPOCHS FILE; the first epoch, which builds the graph, is not counted.
"""

import json
import sys
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers

folder, epochs, file = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
network = keras.Sequential(
    [
        keras.Input(images.shape[1:], dtype="uint8"),
        layers.Rescaling(1 / 255),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(128, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(100, activation="relu"),
        layers.Dense(2, activation="softmax"),
    ]
)
network.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

times = [0.0]
began = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: times.append(-time.perf_counter()))
ended = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: times.append(times.pop() + time.perf_counter()))
network.fit(images, labels, batch_size=32, epochs=1 + epochs, callbacks=[began, ended], verbose=0)
file.write_text(json.dumps([len(images) / seconds for seconds in times[2:]]))
