"""What lies beside each exported form: `about.json` for programs and `README.md` for people."""

from pathlib import Path
from typing import Any

from podium.files import file_digest, save_json
from podium.serving.export.target import Target
from podium.serving.golden import ARTIFACTS
from podium.serving.predictor import Predictor
from podium.tracking.logged_model import MODEL

ABOUT, README = "about.json", "README.md"
_RESIZE = {
    "stretch": "Stretch an image to this size, whatever its shape.",
    "pad": "Shrink or grow an image until all of it fits, and put it in the middle of black.",
    "crop": "Shrink or grow an image until it covers this size, and take its middle.",
}


def describe(predictor: Predictor) -> dict[str, Any]:
    """Say what a version takes and gives, for `about.json`."""
    size, found = predictor.size, predictor.found
    outputs = {"label": f"(n, {len(predictor.classes)}) float32: the probabilities, in the order of the classes"}
    if predictor.has_boxes:
        outputs["box"] = "(n, 4) float32: left, top, right and bottom, as shares of the image's width and height"
    return {
        "model": found.title,
        "name": found.name,
        "version": found.version,
        "model_sha256": file_digest(found.folder / ARTIFACTS / MODEL),
        "classes": list(predictor.classes),
        "threshold": predictor.threshold,
        "input": {
            "name": "image",
            "shape": [None, *size.shape],
            "channels": "gray" if size.channels == 1 else "red, green, blue",
            "resize": size.resize,
        },
        "outputs": outputs,
    }


def write_about(predictor: Predictor, name: str, target: Target, folder: Path) -> None:
    """Write both into a target's folder, unless the target wrote its own; the digests are of all other files."""
    if not (folder / README).exists():
        (folder / README).write_text(_readme(predictor, name, target), encoding="utf-8")
    if not (folder / ABOUT).exists():
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        digests = {path.relative_to(folder).as_posix(): file_digest(path) for path in files}
        save_json({"target": name, **describe(predictor), "files": digests}, folder / ABOUT)


def _readme(predictor: Predictor, name: str, target: Target) -> str:
    size, threshold = predictor.size, predictor.threshold
    colours = "gray" if size.channels == 1 else "red, green and blue"
    how = target.how
    for word, value in {"HEIGHT": size.height, "WIDTH": size.width, "CHANNELS": size.channels}.items():
        how = how.replace(word, str(value))
    unsure = (
        "No threshold is known below which it is unsure."
        if threshold is None
        else f"Below a probability of {threshold:g} it is unsure."
    )
    box = (
        "\nThe output `box` gives left, top, right and bottom as shares of width and height.\n"
        if predictor.has_boxes
        else ""
    )
    return f"""# {predictor.found.title} as {name}: {target.what}

It takes images of {size.height} × {size.width} pixels (height × width), {colours}, 0–255; scaling and all else is in
the model. {_RESIZE[size.resize]} The output `label` gives the probabilities of {len(predictor.classes):,} classes;
their names are in `{ABOUT}`, in order. {unsure}
{box}
{how}
"""
