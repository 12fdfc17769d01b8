"""A Space: a folder that is ready to be pushed to a model hub, and that shows a version to everybody.

README.md          what the hub reads first: the kind of app, Gradio's version, the licence; then the model card
app.py             the page; podium is not needed
requirements.txt   exactly what the model was logged with, and Gradio
model/             the logged model
examples/          its golden images
.gitattributes     which files are large
"""

import json
import re
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from ruamel.yaml import YAML

from podium.errors import PodiumError
from podium.serving.export.source import Source
from podium.serving.export.target import Target
from podium.serving.finding import Found
from podium.serving.golden import ARTIFACTS, read_golden
from podium.tracking.packing import CARD

APP, README, MODEL, EXAMPLES = "app.py", "README.md", "model", "examples"
REQUIREMENTS, ENVIRONMENT = "requirements.txt", "python_env.yaml"
LARGE = ("*.keras", "*.png")
"""Files that a hub keeps apart from git's history."""
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def write_space(found: Found, folder: Path, licence: str = "") -> None:
    """Write the folder of a Space.

    Args:
        found: the version.
        folder: an empty one.
        licence: of the model, by the hub's names, such as `mit`; without one the hub shows none.

    Raises:
        PodiumError: Gradio is not installed, so its version is not known; or the model's files lack what it needs.
    """
    requirements = _read_requirements(found)
    shutil.copytree(found.folder, folder / MODEL, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / EXAMPLES).mkdir()
    for number, image in enumerate(read_golden(found.folder.resolve())):
        source = found.folder / ARTIFACTS / image["image"]
        shutil.copyfile(source, folder / EXAMPLES / f"{number}{source.suffix}")
    text = files("podium.serving.app").joinpath("space_app.py").read_text("utf-8")
    (folder / APP).write_text(text, encoding="utf-8", newline="\n")
    (folder / REQUIREMENTS).write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8", newline="\n")
    attributes = "".join(f"{pattern} filter=lfs diff=lfs merge=lfs -text\n" for pattern in LARGE)
    (folder / ".gitattributes").write_text(attributes, encoding="utf-8", newline="\n")
    (folder / README).write_text(_describe(found, licence), encoding="utf-8", newline="\n")


def _read_requirements(found: Found) -> list[str]:
    """Give what the model was logged with, and Gradio in the version that is tested here."""
    try:
        lines = (found.folder / REQUIREMENTS).read_text(encoding="utf-8").split()
    except FileNotFoundError:
        raise PodiumError(
            f"{found.title} has no {REQUIREMENTS}: it was logged by another program, and what it needs is not known."
        ) from None
    return sorted([*(line for line in lines if not line.startswith("gradio==")), f"gradio=={_find_gradio()}"])


def _find_gradio() -> str:
    try:
        return version("gradio")
    except PackageNotFoundError:
        raise PodiumError(
            "A Space is an app of Gradio, which is not installed here. Type: pip install 'gradio>=6.31'"
        ) from None


def _describe(found: Found, licence: str) -> str:
    title = f"{found.facts.dataset or found.name} {found.version}".strip()
    facts = {
        "title": title,
        "sdk": "gradio",
        "sdk_version": _find_gradio(),
        **_find_python(found),
        "app_file": APP,
        "pinned": "false",
        **({"license": licence} if licence else {}),
        "tags": ["image-classification", "podium"],
    }
    lines = [f"{name}: {value if value == 'false' else json.dumps(value)}" for name, value in facts.items()]
    head = "---\n" + "\n".join(lines) + "\n---\n"
    start = f"\n# {title}\n\nOn your own machine: `pip install -r {REQUIREMENTS}`, then `python {APP}`.\n"
    card = found.folder / ARTIFACTS / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    return head + start + _FRONT_MATTER.sub("", text)


def _find_python(found: Found) -> dict[str, str]:
    """Give the version of Python that the model was logged with: a hub takes major and minor."""
    path = found.folder / ENVIRONMENT
    if not path.is_file():
        return {}
    known = str(YAML(typ="safe").load(path).get("python", ""))
    return {"python_version": ".".join(known.split(".")[:2])} if known else {}


def _finish(source: Source, folder: Path) -> None:
    write_space(source.predictor.found, folder)


TARGET = Target(what="a folder for a model hub's Space: the Gradio app with the model", finish=_finish)
