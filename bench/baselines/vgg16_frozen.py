"""Dogs and cats by a frozen VGG16, as the tutorials do it: the base looks at every image again in every epoch.

The images are a folder of podium's arrays, as floats in memory; the head and its optimizer are the recipe's. The
model is saved; `score` measures it on the test split. `weights` writes weights for VGG16 that learnt nothing.

python vgg16_frozen.py weights FILE SIZE
python vgg16_frozen.py train FOLDER_OF_ARRAYS MODEL EPOCHS WEIGHTS
python vgg16_frozen.py score FOLDER_OF_ARRAYS MODEL
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

MEANS = np.array([103.939, 116.779, 123.68], np.float32)
"""Of ImageNet's images: blue, green, red."""

what, place, other = sys.argv[1], Path(sys.argv[2]), sys.argv[3]


def read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Give images as VGG was trained with, and labels."""
    images = np.load(place / split / "images.npy").astype(np.float32)[..., ::-1] - MEANS
    return images, np.load(place / split / "labels.npy")


keras.utils.set_random_seed(0)
match what:
    case "weights":
        keras.applications.VGG16(input_shape=(int(other),) * 2 + (3,), include_top=False, weights=None).save_weights(
            place
        )
    case "train":
        epochs, weights = int(sys.argv[4]), sys.argv[5]
        images, labels = read("train")
        base = keras.applications.VGG16(input_shape=images.shape[1:], include_top=False, weights=None)
        base.load_weights(weights)
        base.trainable = False
        x = layers.Dense(128, activation="relu")(layers.Flatten()(base.output))
        network = keras.Model(base.input, layers.Dense(2, activation="softmax")(x))
        optimizer = keras.optimizers.SGD(0.001, momentum=0.9)
        network.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        network.fit(images, labels, batch_size=64, epochs=epochs, validation_data=read("validation"), verbose=2)
        network.save(other)
    case "score":
        images, labels = read("test")
        print((keras.models.load_model(other).predict(images, verbose=0).argmax(axis=1) == labels).mean())
