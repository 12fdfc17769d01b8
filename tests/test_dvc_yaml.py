"""`dvc.yaml` names the code that a stage's result depends on: what the stage really imports, and nothing else."""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import yaml

from podium.config import load_params
from stages.__main__ import WITH_TENSORFLOW
from tests.makers import REPOSITORY

STAGES = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
FOUNDATIONS = (
    "podium/config/",
    "podium/errors.py",
    "podium/files.py",
    "podium/git.py",
    "podium/paths.py",
    "podium/processes.py",
    "podium/progress.py",
)
"""Named by no stage, as dvc.yaml's comment says: the params count by their values; the others change no result."""
RUNTIME = Path("podium/models/runtime.py")
FREE = {"download": ("podium/datasets/",)}
"""A newer podium does not download again what is here: this stage names no code of the library."""
BY_KIND = {
    "podium.datasets.formats": "podium.datasets.formats.{format}.read",
    "podium.models.zoo": "podium.models.zoo.{model}",
}
"""Packages that import the module of the kind that is asked for, and no other."""
CASES = sorted(
    {
        (stage, params.dataset(candidate.dataset).format.kind, candidate.model.kind)
        for params in map(load_params, (REPOSITORY / "recipes").glob("*.yaml"))
        for candidate in params.candidates.values()
        for stage in STAGES
    }
    | {(stage, layout, "cnn") for stage in ("validate", "preprocess") for layout in ("coco", "voc", "yolo")}
)


def file_of(module: str) -> Path | None:
    path = Path(*module.split("."))
    return next(
        (each for each in (path.with_suffix(".py"), path / "__init__.py") if (REPOSITORY / each).is_file()), None
    )


@lru_cache
def imports_of(file: Path) -> frozenset[str]:
    """The modules of podium that a file imports, at its top or inside a function; their packages too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((REPOSITORY / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {module for module in found if module.partition(".")[0] == "podium" and file_of(module)}
    parents = {module.rsplit(".", up)[0] for module in ours for up in range(1, module.count(".") + 1)}
    return frozenset(ours | parents)


def reached(stage: str, **kinds: str) -> set[Path]:
    """The files of podium that a stage imports, directly or through others."""
    waiting, seen = [Path(f"stages/{stage}.py")], set[Path]()
    if stage in WITH_TENSORFLOW:
        waiting.append(RUNTIME)  # by stages/__main__.py
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        modules = set(imports_of(file))
        package = ".".join(file.parent.parts)
        if file.name == "__init__.py" and package in BY_KIND:
            kind = BY_KIND[package].format(**kinds)
            modules |= {kind, kind.rpartition(".")[0]}
        waiting += [each for module in modules if (each := file_of(module))]
    return {file for file in seen if file.parts[0] == "podium"}


def named(stage: str, **kinds: str) -> Iterator[str]:
    for dep in STAGES[stage]["do"]["deps"]:
        path = dep.replace("${item.format.kind}", kinds["format"]).replace("${item.model.kind}", kinds["model"])
        if path.startswith("podium/"):
            yield path


def covers(dep: str, file: Path) -> bool:
    return file == Path(dep) or Path(dep) in file.parents


@pytest.mark.parametrize(("stage", "layout", "model"), CASES)
def test_a_stage_names_the_code_that_it_imports_and_no_other(stage: str, layout: str, model: str) -> None:
    kinds = {"format": layout, "model": model}
    files = {
        file
        for file in reached(stage, **kinds)
        if not str(file).startswith((*FOUNDATIONS, *FREE.get(stage, ())))
        and (REPOSITORY / file).read_text(encoding="utf-8").count("\n") > 1  # a package's docstring is no code
    }
    deps = [*named(stage, **kinds)]
    assert not [str(file) for file in files if not any(covers(dep, file) for dep in deps)], "imported, and not named"
    assert not [dep for dep in deps if not (REPOSITORY / dep).exists()], "named, and not there"
    # Of models without a backbone and formats without boxes, too: DVC cannot choose deps by the kind.
    shared = {"podium/models/zoo/backbones", "podium/datasets/formats/objects"}
    code = [dep for dep in deps if dep not in shared and not dep.endswith(".html")]  # templates are not imported
    assert not [dep for dep in code if not any(covers(dep, file) for file in files)], "named, not imported"
