"""Train the tutorials' network through Keras's ImageDataGenerator, and write each epoch's images a second.

python image_data_generator.py FOLDER_OF_ARRAYS EPOCHS FILE; the first epoch, which builds the graph, is not counted.

The published way: fractions in memory, a generator beside `fit`. Keras 3 keeps the class under this name alone.
"""

import json
import sys
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator

folder, epochs, file = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
images, labels = np.load(folder / "images.npy").astype(float) / 255, np.load(folder / "labels.npy")
network = keras.Sequential(
    [
        keras.Input(images.shape[1:]),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(128, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(100, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ]
)
network.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
augmented = ImageDataGenerator(
    rotation_range=30,
    width_shift_range=0.2,
    height_shift_range=0.2,
    shear_range=15,
    zoom_range=[0.7, 1.4],
    horizontal_flip=True,
    vertical_flip=True,
)

times = [0.0]
began = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: times.append(-time.perf_counter()))
ended = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: times.append(times.pop() + time.perf_counter()))
network.fit(augmented.flow(images, labels, batch_size=32), epochs=1 + epochs, callbacks=[began, ended], verbose=0)
file.write_text(json.dumps([len(images) / seconds for seconds in times[2:]]))
