"""Sign Language MNIST by a frozen MobileNet, as the author of the published system does it.

Every image is resized to 80 × 80 and becomes floats in memory before the training; the base looks at every batch
anew. 10 epochs of 100 batches of 32 from all training rows; after each, 40 batches of the validation rows. Then the
model is saved; `score` measures it on the test rows.

python sign_mobilenet.py train ARCHIVE MODEL EPOCHS WEIGHTS
python sign_mobilenet.py score ARCHIVE MODEL
"""

import sys
import zipfile
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
from keras import layers
from keras.src.legacy.preprocessing.image import ImageDataGenerator  # Keras 3 keeps it under this name exclusive_lock

BATCH, STEPS, VALIDATION_STEPS = 32, 100, 40
VALIDATION = 4303

what, archive, path = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])


def read(name: str, rows: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    """Give a table's images, (n, 80, 80, 3) float32 of 0–1, and labels."""
    with zipfile.ZipFile(archive) as opened, opened.open(name) as file:
        table = pd.read_csv(file)[rows]
    labels = table.pop("label").to_numpy()
    labels = labels - (labels > 9)  # the alphabet without J, which is 9
    pixels = table.to_numpy(np.float32).reshape(-1, 28, 28)
    resized = [cv2.resize(image, (80, 80), interpolation=cv2.INTER_CUBIC) for image in pixels]
    return np.array([cv2.merge([image] * 3) for image in resized]) / 255, labels


if what == "score":
    images, labels = read("sign_mnist_test.csv", slice(VALIDATION, None))
    print(float((keras.models.load_model(path).predict(images, verbose=0).argmax(axis=1) == labels).mean()))
    sys.exit()

epochs, weights = int(sys.argv[4]), sys.argv[5]
images, labels = read("sign_mnist_train.csv")
held_images, held_labels = read("sign_mnist_test.csv", slice(VALIDATION))
keras.utils.set_random_seed(0)
base = keras.applications.MobileNet(input_shape=(80, 80, 3), include_top=False, weights=weights)
base.trainable = False
x = layers.Dense(256, activation="relu")(layers.GlobalAveragePooling2D()(base.output))
network = keras.Model(base.input, layers.Dense(24, activation="softmax")(x))
network.compile(keras.optimizers.Adam(1e-4), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
generator = ImageDataGenerator()
network.fit(
    generator.flow(images, labels, batch_size=BATCH),
    steps_per_epoch=STEPS,
    epochs=epochs,
    validation_data=generator.flow(held_images, held_labels, batch_size=BATCH),
    validation_steps=VALIDATION_STEPS,
    verbose=2,
)
network.save(path)
