"""The folder of a logged model: weights, code, golden images, card and digests, in the form that MLflow takes.

MLmodel                     what MLflow knows of it: two flavors, python_function and tensorflow, of the same weights
code/podium_model_…/        the classifier, the decoder and the log of requests, named by their digest: no podium, and
                            no other model's code in the same process, is taken for it
artifacts/model.keras       the weights
artifacts/classes.json      the names of the classes, the images' size, the threshold
artifacts/golden.json, golden/…  see `podium.tracking.golden`
artifacts/README.md         the model card
artifacts/digests.json      the sha256 of each file here but MLmodel and itself

No path of this machine and no pickle is in any of them.
"""

import base64
import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import mlflow.pyfunc
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import Array, Map
from ruamel.yaml import YAML

from podium import images
from podium.config.datasets import Image
from podium.files import file_digest, json_digest, save_json
from podium.tracking import classifier, request_log

ARTIFACTS, DIGESTS, CARD = "artifacts", "artifacts/digests.json", "README.md"
DECODER = ("decoding", "fitting", "given", "kinds", "light", "opening", "orientation", "pixels", "png_notes")
"""Of `podium.images`, what the classifier needs."""
REQUIREMENTS = ("keras", "mlflow", "numpy", "opencv-python-headless", "pandas", "pillow")
TENSORFLOW = ("tensorflow-cpu", "tensorflow")
"""The same library, and only one of them is installed."""


@dataclass(frozen=True)
class Knowledge:
    """What a model answers with, beyond its weights.

    Attributes:
        classes: their names, in the order of the output.
        image: the size of the arrays, and how images are brought to it.
        threshold: how sure it has to be to answer; None if no threshold is borne out.
        boxes: whether it says where, too.
    """

    classes: list[str]
    image: Image
    threshold: float | None
    boxes: bool


def pack_model(folder: Path, known: Knowledge, model_id: str, run_id: str) -> None:
    """Make a logged model of a folder whose `artifacts` hold the weights, the golden images and the card.

    Args:
        folder: `artifacts/model.keras` and `artifacts/golden/0.png` must be there.
        known: what else it is to know.
        model_id: of the logged model.
        run_id: of its run.
    """
    image = {name: getattr(known.image, name) for name in ("height", "width", "channels", "resize")}
    facts = {"classes": known.classes, "image": image, "threshold": known.threshold, "boxes": known.boxes}
    save_json(facts, folder / ARTIFACTS / "classes.json")
    package = _copy_code(folder / "code")
    _save_environment(folder)
    example = base64.b64encode((folder / ARTIFACTS / "golden/0.png").read_bytes()).decode()
    table = {"columns": ["image"], "data": [[example]]}
    save_json(table, folder / "input_example.json")
    save_json({"dataframe_split": table}, folder / "serving_input_example.json")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    save_json({path.relative_to(folder).as_posix(): file_digest(path) for path in files}, folder / DIGESTS)

    model = Model(
        artifact_path=f"models:/{model_id}",
        run_id=run_id,
        model_uuid=model_id,
        model_id=model_id,
        signature=make_signature(boxes=known.boxes),
        saved_input_example_info={
            "artifact_path": "input_example.json",
            "pandas_orient": "split",
            "serving_input_path": "serving_input_example.json",
            "type": "dataframe",
        },
        metadata={"classes": known.classes},
        model_size_bytes=sum(path.stat().st_size for path in files),
    )
    mlflow.pyfunc.add_to_model(
        model,
        loader_module=f"{package}.classifier",
        data=ARTIFACTS,
        code="code",
        conda_env="conda.yaml",
        python_env="python_env.yaml",
        streamable=False,
    )
    model.add_flavor(
        "tensorflow",
        data=ARTIFACTS,
        model_type="keras",
        keras_module="keras",
        keras_version=version("keras"),
        save_format="keras",
    )
    model.save(str(folder / "MLmodel"))


def make_signature(*, boxes: bool) -> ModelSignature:
    """Say what a model takes and gives.

    The column is of texts, as JSON has them; MLflow lets bytes and arrays in such a column pass, too.
    """
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string, "label", required=False),
        ColSpec(DataType.double, "probability", required=False),
        ColSpec(DataType.boolean, "unsure", required=False),
        ColSpec(Map(DataType.double), "probabilities", required=False),
        ColSpec(DataType.string, "error"),
        *([ColSpec(Array(DataType.double), "box", required=False)] if boxes else []),
    ]
    return ModelSignature(inputs=Schema([ColSpec(DataType.string, "image")]), outputs=Schema(outputs))


def list_requirements() -> list[str]:
    """Name what a model needs to run, in the versions that are installed here."""
    return sorted([*(f"{name}=={version(name)}" for name in REQUIREMENTS), f"tensorflow=={_tensorflow()}"])


def _tensorflow() -> str:
    for name in TENSORFLOW:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    raise PackageNotFoundError(TENSORFLOW[-1])


def _copy_code(folder: Path) -> str:
    """Copy the classifier and the decoder as a package of their own, and give its name."""
    sources = {name: Path(str(images.__path__[0])) / f"{name}.py" for name in DECODER}
    sources |= {"classifier": Path(str(classifier.__file__)), "request_log": Path(str(request_log.__file__))}
    texts = {
        name: re.sub(
            r"^from podium\.(images|tracking)\.", "from .", path.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        for name, path in sources.items()
    }
    digest = json_digest(texts)
    package = f"podium_model_{digest[:12]}"
    (folder / package).mkdir(parents=True)
    for name, text in {
        **texts,
        "__init__": '"""A model\'s way from raw images to answers; podium wrote it."""\n',
    }.items():
        (folder / package / f"{name}.py").write_text(text, encoding="utf-8", newline="\n")
    return package


def _save_environment(folder: Path) -> None:
    requirements = list_requirements()
    (folder / "requirements.txt").write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
    build = [f"{name}=={version(name)}" for name in ("pip", "setuptools")]
    python = platform.python_version()
    environment = {"python": python, "build_dependencies": build, "dependencies": ["-r requirements.txt"]}
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", *build[:1], {"pip": requirements}],
    }
    for name, content in {"python_env.yaml": environment, "conda.yaml": conda}.items():
        YAML().dump(content, folder / name)
