"""Sign Language MNIST from the zip to a trained and evaluated network, written by hand in one process.

The network, the batches, the moves of the images and the schedule are those of the recipe's `sign-cnn`, drawn
from the same random numbers, so that the accuracies can be held side by side.

python sign_cnn.py ARCHIVE FOLDER_TO_WRITE EPOCHS
"""

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers
from matplotlib.figure import Figure
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss, precision_recall_fscore_support

CLASSES = list("ABCDEFGHIKLMNOPQRSTUVWXY")
SEED, BATCH, RATE = 0, 64, 0.002
ROTATE, SHIFT, ZOOM = 10, 0.1, 0.1
VALIDATION = 4303
SIDE = 28

archive, folder, epochs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])


def read(name: str) -> tuple[np.ndarray, np.ndarray]:
    with zipfile.ZipFile(archive) as opened, opened.open(name) as file:
        table = pd.read_csv(file, dtype=np.uint8)
    labels = table.pop("label").to_numpy(dtype=np.int64)
    labels -= labels > 9  # the alphabet without J, which is 9
    return table.to_numpy().reshape(-1, SIDE, SIDE, 1), labels


def batches(images: np.ndarray, labels: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Show every image once an epoch, each time turned, zoomed and shifted anew."""
    centre, epoch = ((SIDE - 1) / 2, (SIDE - 1) / 2), 0
    while True:
        order = np.random.default_rng([SEED, epoch, 0]).permutation(len(images))
        draws = np.random.default_rng([SEED, epoch, 1]).uniform(-1, 1, size=(4, len(images)))
        for start in range(0, len(images), BATCH):
            rows = np.sort(order[start : start + BATCH])
            moved = np.empty((len(rows), SIDE, SIDE, 1), np.uint8)
            for place, row in enumerate(rows):
                turn, zoom, right, down = draws[:, row]
                matrix = cv2.getRotationMatrix2D(centre, turn * ROTATE, 1 + zoom * ZOOM)
                matrix[:, 2] += (right * SHIFT * SIDE, down * SHIFT * SIDE)
                image = cv2.warpAffine(images[row], matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT_101)
                moved[place, :, :, 0] = image
            yield moved, labels[rows]
        epoch += 1


def build() -> keras.Model:
    image = keras.Input((SIDE, SIDE, 1), dtype="uint8")
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    for block, filters in enumerate((32, 64, 128)):
        if block:
            x = layers.MaxPooling2D()(x)
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(image, layers.Dense(len(CLASSES), activation="softmax")(x))


def measure(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    predicted, exact = probabilities.argmax(axis=1), probabilities.astype(np.float64)
    loss = log_loss(labels, exact / exact.sum(axis=1, keepdims=True), labels=range(len(CLASSES)))
    figures = {"accuracy": float(accuracy_score(labels, predicted)), "loss": float(loss)}
    for average in ("macro", "weighted"):
        scores = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        for name, score in zip(("precision", "recall", "f1"), scores[:3], strict=True):
            figures[f"{average}_{name}"] = float(score)
    return figures


def draw_curves(history: pd.DataFrame) -> None:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(history.index + 1, history[name], marker=".", label="training")
        axes.plot(history.index + 1, history[f"val_{name}"], marker=".", label="validation")
        axes.set(xlabel="epoch", ylabel=name)
    axes.legend()
    figure.savefig(folder / "learning_curves.png", dpi=120)


def draw_gallery(images: np.ndarray, predictions: pd.DataFrame) -> None:
    wrong = predictions["actual"] != predictions["predicted"]
    mistakes = predictions[wrong].sort_values("confidence", ascending=False).index[:6]
    hits = predictions[~wrong].sort_values("confidence").index[: 12 - len(mistakes)]
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    for axes, row in zip(figure.subplots(2, 6).ravel(), [*mistakes, *hits], strict=True):
        axes.axis("off")
        axes.imshow(images[row].squeeze(), cmap="gray", vmin=0, vmax=255)
        one = predictions.loc[row]
        axes.set_title(f"{one['predicted']} {one['confidence']:.0%}, is {one['actual']}", fontsize=9)
    figure.savefig(folder / "gallery.png", dpi=120)


def draw_confusions(counts: pd.DataFrame, shares: pd.DataFrame) -> None:
    figure = Figure(figsize=(10.4, 10.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts.to_numpy() > 0):
        axes.text(column, row, str(counts.iloc[row, column]), ha="center", va="center", fontsize=8)
    axes.set(xlabel="predicted", ylabel="actual")
    axes.set(xticks=range(len(CLASSES)), xticklabels=CLASSES, yticks=range(len(CLASSES)), yticklabels=CLASSES)
    figure.savefig(folder / "confusion_matrix.png", dpi=120)


folder.mkdir(parents=True)
images, labels = read("sign_mnist_train.csv")
held_images, held_labels = read("sign_mnist_test.csv")
validation, test = ((held_images[rows], held_labels[rows]) for rows in (slice(VALIDATION), slice(VALIDATION, None)))

keras.utils.set_random_seed(SEED)
tf.config.experimental.enable_op_determinism()
network = build()
steps = -(-len(images) // BATCH)
optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, decay_steps=epochs * steps))
network.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
shown = {"steps_per_epoch": steps, "epochs": epochs, "validation_data": validation, "validation_batch_size": 256}
fitted = network.fit(batches(images, labels), verbose=2, **shown)
network.save(folder / "model.keras")

metrics, tables = {}, {}
for split, (images, answers) in {"validation": validation, "test": test}.items():
    probabilities = network.predict(images, batch_size=256, verbose=0)
    metrics[split] = measure(answers, probabilities)
    actual, predicted = np.array(CLASSES)[answers], np.array(CLASSES)[probabilities.argmax(axis=1)]
    tables[split] = pd.DataFrame({"actual": actual, "predicted": predicted, "confidence": probabilities.max(axis=1)})
columns = precision_recall_fscore_support(actual, predicted, labels=CLASSES, zero_division=0)
per_class = pd.DataFrame(dict(zip(("precision", "recall", "f1", "images"), columns, strict=True)), index=CLASSES)
per_class.to_csv(folder / "per_class.csv", index_label="class")
pd.concat(tables, names=["split"]).reset_index("split").to_csv(folder / "predictions.csv", index=False)
(folder / "metrics.json").write_text(json.dumps(metrics, indent=2))
draw_curves(pd.DataFrame(fitted.history))
draw_gallery(images, tables["test"])
counts = pd.DataFrame(confusion_matrix(actual, predicted, labels=CLASSES), index=CLASSES, columns=CLASSES)
shares = counts.div(counts.sum(axis=1), axis=0)
counts.to_csv(folder / "confusion_matrix.csv")
shares.to_csv(folder / "confusion_matrix_normalised.csv")
draw_confusions(counts, shares)
