"""`podium feedback NAME`: what people labelled in the app, for a person to accept or refuse."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless
from podium.config import load_params

if TYPE_CHECKING:
    from podium.serving.feedback import Feedback, Labelled

DIGITS = 10
"""Of a sha256, by which an image is named."""
ALL = "all"
SOURCE = """    source:
      kind: archive
      path: {path}
    format:
      kind: image_folder
      folders:
        train: .
"""
"""How accepted images are a dataset of their own, in params.yaml."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the dataset, and what is decided of which images."""
    parser.add_argument("dataset", metavar="NAME", help="the dataset, whose name the registered model has")
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument("--accept", nargs="+", metavar="IMAGE", help="take these, by their names here, or all")
    decision.add_argument("--refuse", nargs="+", metavar="IMAGE", help="take none of these, and ask no more")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """List what waits for review, or decide about it."""
    from podium.serving.feedback import Feedback, score  # OpenCV: half a second

    feedback = Feedback(root, arguments.dataset)
    if arguments.accept or arguments.refuse:
        _review(feedback, arguments.accept or arguments.refuse, accept=bool(arguments.accept))
        return
    waiting = feedback.waiting()
    for one in waiting:
        print(harmless(_describe(one)))
    for model, known in score(feedback.read()).items():
        share = f"{known.accuracy.value:.3f} ({known.accuracy.low:.3f}–{known.accuracy.high:.3f})"
        print(harmless(f"{model}: right of {known.right} of {known.images} images that people labelled, {share}"))
    if not waiting:
        print(f"No image of {harmless(arguments.dataset)} waits for review. `podium serve` takes labels.")
        return
    print(f"{len(waiting):,} wait for review. The images: {harmless(str(feedback.folder / 'images'))}")
    print(f"Then: podium feedback {harmless(arguments.dataset)} --accept IMAGE… (or all), or --refuse IMAGE…")


def _review(feedback: "Feedback", wanted: list[str], *, accept: bool) -> None:
    digests = [one.sha256 for one in feedback.waiting()] if wanted == [ALL] else wanted
    if not accept:
        feedback.review(digests, accept=False, labels={})
        print(f"{len(digests):,} refused.")
        return
    classes = load_params().dataset(feedback.dataset).classes
    taken = feedback.review(digests, accept=True, labels={name: label for label, name in classes.items()})
    from podium.serving.feedback import ADDITIONS

    path, name = ADDITIONS / feedback.dataset, f"{feedback.dataset}-additions"
    print(f"{len(taken):,} accepted: {harmless(str(path))}, a folder a class. They are in no dataset yet.")
    print(
        f"To have them validated, copy datasets.{harmless(feedback.dataset)} in params.yaml as {harmless(name)}, with"
    )
    print(harmless(SOURCE.format(path=path)), end="")
    print(f"then: dvc repro validate@{harmless(name)}")


def _describe(one: "Labelled") -> str:
    said = "; ".join(f"{each.model} said {each.label} ({each.probability:.2f})" for each in one.said)
    return f"{one.sha256[:DIGITS]}  {one.when[:16].replace('T', ' ')} UTC  it is {one.label}; {said}"
