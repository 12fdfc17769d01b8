"""The model card: Markdown that travels with the model, in the form that Hugging Face reads.

The form: https://huggingface.co/docs/hub/model-cards. What is not known, the licence above all, is left out.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from podium.evaluation.card.numbers import MAIN, decimal, interval, percent, promise, title
from podium.evaluation.card.reading import Card, Facts
from podium.evaluation.card.sections import list_classes
from podium.pages.markdown import code, say

MAX_CLASSES, MAX_PAIRS, MAX_WORST = 30, 5, 5
SPLITS = ("validation", "test", "test_clean")
HUB_METRICS = {"macro_f1": "f1"}
"""The Hub's own names of metrics, where they are others."""


def write_model_card(card: Card, path: Path) -> None:
    """Write the file; the same card gives the same bytes."""
    parts = [*_front(card), *_what(card), *_data(card), *_metrics(card), *_limits(card), *_use(card)]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8", newline="\n")


def _front(card: Card) -> Iterator[str]:
    """Give the front matter, as YAML; texts are written as JSON has them, which YAML reads the same."""
    yield from ("---", "library_name: keras", "pipeline_tag: image-classification")
    yield from ("tags:", "- podium", "- image-classification")
    if card.predictions.boxes is not None:
        yield "- object-detection"
    yield from ("model-index:", f"- name: {json.dumps(card.name)}", "  results:")
    yield from ("  - task:", "      type: image-classification")
    yield from ("    dataset:", f"      name: {json.dumps(card.dataset)}", f"      type: {json.dumps(card.dataset)}")
    yield from ("      split: test", "    metrics:")
    test = card.report.facts["metrics"]["test"]
    for name in MAIN:
        if name in test:
            yield f"    - type: {HUB_METRICS.get(name, name)}"
            yield f"      name: {json.dumps(f'test {title(name)}')}"
            yield f"      value: {test[name]['value']:.6g}"
    yield "---"


def _what(card: Card) -> Iterator[str]:
    boxes = card.predictions.boxes is not None
    count = len(card.predictions.classes)
    kind = say(card.params.get("candidate.model.kind", "keras"))
    yield from ("", f"# {say(card.name)}", "")
    yield (
        f"A Keras model ({kind}) that says which of {count:,} {'class' if count == 1 else 'classes'} an image shows"
        f"{', and where' if boxes else ''}. {promise(card.report.facts['metrics']['test']['accuracy'])}"
    )
    names = ", ".join(say(name) for name in card.predictions.classes[:MAX_CLASSES])
    left = count - MAX_CLASSES
    yield from ("", f"Classes: {names}{f', and {left:,} more' if left > 0 else ''}.")


def _data(card: Card) -> Iterator[str]:
    height, width, channels = card.predictions.shape
    yield from ("", "## Data", "")
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in card.splits.items())
    yield f"Dataset {say(card.dataset)}: {sizes} images of {height} × {width} pixels, {_colours(channels)}."
    yield f"The sha256 of the split manifest, which names each of them: {code(card.digest)}."


def _metrics(card: Card) -> Iterator[str]:
    facts = card.report.facts
    metrics: dict[str, dict[str, Facts]] = facts["metrics"]
    splits = [split for split in SPLITS if split in metrics]
    yield from ("", "## Metrics", "", f"| metric | {' | '.join(name.replace('_', ', ') for name in splits)} |")
    yield "| --- |" + " --- |" * len(splits)
    for name in MAIN:
        if name in metrics["test"]:
            cells = [_cell(metrics[split].get(name)) for split in splits]
            yield f"| {title(name)} | {' | '.join(cells)} |"
    test = facts["splits"]["test"]
    yield from ("", f"In brackets: 95% intervals; {test['images']:,} test images in {test['groups']:,} groups.")
    yield "Near-duplicates count once. “Test, clean” leaves out images that have one in train or validation."
    if calibration := facts.get("calibration"):
        yield from ("", "## Calibration", "")
        error = calibration["ece"]["test"]
        yield f"Expected calibration error on test images: {_cell(error)}."
        if calibration.get("threshold"):
            yield (
                f"To be right in {percent(calibration['stated_accuracy'])} of its answers it should say “unsure” below "
                f"a probability of {decimal(calibration['threshold'])}; of the test images it then answers "
                f"{percent(calibration['coverage']['test'])}."
            )


def _limits(card: Card) -> Iterator[str]:
    yield from ("", "## Where it fails", "")
    asked = [row for row in list_classes(card)["rows"] if row["support"] and row["f1"] < 1]
    for row in asked[:MAX_WORST]:
        recall, precision = (_cell(row[name].estimate) for name in ("recall", "precision"))
        yield f"- {say(row['class'])}: recall {recall}, precision {precision}, {int(row['support']):,} images"
    pairs = card.report.failures.get("pairs", [])[:MAX_PAIRS]
    for pair in pairs:
        times = f"{pair['count']:,} of its images, {percent(pair['share'])}"
        yield f"- {say(pair['actual'])} is taken for {say(pair['predicted'])}: {times}"
    if not pairs:
        yield "- No test image is named wrong."
    slices = card.report.tables["slices"]
    worse = slices[slices["worse"].astype(bool)] if len(slices) else slices
    for row in worse.head(MAX_WORST).to_dict("records"):
        yield f"- {say(row['slice'])}, {say(row['value'])}: accuracy {decimal(row['accuracy'])}, below the whole"
    yield from ("", "On images that are unlike those of the dataset nothing is known of it.")


def _use(card: Card) -> Iterator[str]:
    height, width, channels = card.predictions.shape
    boxes = card.predictions.boxes is not None
    yield from ("", "## How to load it", "")
    yield "From MLflow's registry, for raw images: files, arrays (height, width, channels) uint8, or base64 text."
    yield from ("", "```python", "import mlflow", "")
    yield f'model = mlflow.pyfunc.load_model("models:/{card.dataset}@champion")  # or /{card.dataset}/1, by its version'
    yield 'answers = model.predict({"image": [open("photo.jpg", "rb").read()]})'
    yield "# label, probability, unsure, probabilities by class, error where an image cannot be read"
    if boxes:
        yield "# box: left, top, right, bottom in the photo's own pixels"
    yield from ("```", "", "The same over HTTP:", "", "```sh")
    yield f"mlflow models serve -m models:/{card.dataset}@champion --env-manager local --port 5001 &"
    yield """printf '{"inputs": ["%s"]}' "$(base64 < photo.jpg | tr -d '\\n')" |"""
    yield "  curl -H 'Content-Type: application/json' --data-binary @- http://127.0.0.1:5001/invocations"
    yield from ("```", "", "By Keras, of arrays that have its size already:", "", "```python", "import keras", "")
    yield f'model = keras.saving.load_model("models/{card.name}/model.keras", compile=False)'
    yield f"outputs = model.predict(images)  # (n, {height}, {width}, {channels}) uint8, 0 to 255, as they are"
    yield 'probabilities = outputs["label"]  # (n, classes), in the order above'
    if boxes:
        yield 'boxes = outputs["box"]  # (n, 4): left, top, right, bottom as shares of width and height'
    yield "```"


def _cell(estimate: Facts | None) -> str:
    if not estimate:
        return "–"
    ends = interval(estimate)
    return f"{decimal(estimate['value'])} ({ends})" if ends else decimal(estimate["value"])


def _colours(channels: int) -> str:
    return "gray" if channels == 1 else "in colour"
