"""`podium feedback NAME`: what people labelled in the app, for a person to accept or refuse."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from podium.cli.screen import harmless
from podium.config import load_params
from podium.errors import PodiumError, nearest
from podium.paths import ADDITIONS, PARAMS, DatasetPaths

if TYPE_CHECKING:
    from podium.serving.feedback import Feedback, Labelled

DIGITS = 10
"""Of a sha256, by which an image is named."""
ALL = "all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the dataset, and what is decided of which images."""
    parser.add_argument("dataset", metavar="NAME", help="the dataset, whose name the registered model has")
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument(
        "--accept", nargs="+", metavar="IMAGE", help="add these to the dataset, by their names here, or all"
    )
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
    if not digests:
        print(f"No image of {harmless(feedback.dataset)} waits for review. `podium serve` takes labels.")
        return
    if not accept:
        print(f"{len(feedback.review(digests)):,} refused.")
        return
    from podium.datasets.acceptance import accept_images  # pandas

    name = feedback.dataset
    labels = {known: label for label, known in load_params().dataset(name).classes.items()}

    def take(images: list[tuple[str, Path]]) -> None:
        unknown = next((label for label, _ in images if label not in labels), None)
        if unknown is not None:
            raise PodiumError(f"'{unknown}' is no class of datasets.{name} in {PARAMS}. {nearest(unknown, labels)}")
        accept_images(name, [(labels[label], file) for label, file in images])

    taken = feedback.review(digests, take)
    folder = DatasetPaths(name).additions
    files = f"{ADDITIONS} {folder}.dvc {folder.parent}/.gitignore"
    print(harmless(f"{len(taken):,} accepted: their labels are in {ADDITIONS}, the images in {folder}, kept by DVC."))
    print(harmless(f"Look at `git diff {ADDITIONS}`, and commit: git add {files}"))
    print(harmless(f"From the next `podium run` on they train; `dvc repro validate@{name}` only looks at them."))


def _describe(one: "Labelled") -> str:
    said = "; ".join(f"{each.model} said {each.label} ({each.probability:.2f})" for each in one.said)
    return f"{one.sha256[:DIGITS]}  {one.when[:16].replace('T', ' ')} UTC  it is {one.label}; {said}"
