"""What is written in two places says the same in both."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from dvc.repo import Repo
from dvc.stage import Stage

from podium.config import load_params
from podium.config.datasets import Format, Source
from podium.config.models import Model
from podium.datasets import sources
from podium.paths import CandidatePaths, DatasetPaths
from stages.__main__ import STAGES
from tests.makers import REPOSITORY

RECIPES = sorted((REPOSITORY / "recipes").glob("*.yaml"))
HEAVY = {"tensorflow", "keras"}
HEAVIER = HEAVY | {"prefect", "mlflow", "great_expectations", "sklearn", "pandas"}


@pytest.fixture(params=RECIPES, ids=lambda path: path.stem)
def recipe(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def resolved(project: Path, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Stage]:
    """The stages that DVC makes of a recipe, by name."""
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    shutil.copy(recipe, project / "params.yaml")
    with Repo.init(str(project), no_scm=True) as repo:
        return {stage.addressing: stage for stage in repo.index.stages}


def outs(project: Path, stage: Stage) -> set[Path]:
    return {Path(out.fs_path).relative_to(project) for out in stage.outs}


def deps(project: Path, stage: Stage) -> set[Path]:
    """What a stage reads, its params left out."""
    return {Path(dep.fs_path).relative_to(project) for dep in stage.deps} - {Path("params.yaml")}


def test_a_recipe_is_valid(recipe: Path) -> None:
    assert load_params(recipe).candidates


def test_the_shipped_page_is_the_recipe_of_the_digits() -> None:
    assert (REPOSITORY / "params.yaml").read_bytes() == (REPOSITORY / "recipes/digits.yaml").read_bytes()


def test_dvc_makes_every_stage_of_every_dataset_and_candidate(resolved: dict[str, Stage], recipe: Path) -> None:
    page = load_params(recipe)
    names = {f"{stage}@{name}" for stage in STAGES[:3] for name in page.datasets}
    names |= {f"{stage}@{name}" for stage in STAGES[3:] for name in page.candidates}
    assert set(resolved) == names


def test_datasets_live_where_dvc_looks_for_them(project: Path, resolved: dict[str, Stage], recipe: Path) -> None:
    for name in load_params(recipe).datasets:
        paths = DatasetPaths(name)
        download, validate, preprocess = (resolved[f"{stage}@{name}"] for stage in STAGES[:3])
        assert outs(project, download) == {paths.raw, paths.lock}
        assert paths.raw in deps(project, validate)
        manifest, *found = sorted(outs(project, validate))
        assert manifest == paths.manifest
        assert {path.parent for path in found} == {paths.validation}
        assert deps(project, preprocess) >= {paths.raw, paths.lock, paths.manifest}
        assert outs(project, preprocess) == {paths.processed, paths.croissant}


def test_candidates_live_where_dvc_looks_for_them(project: Path, resolved: dict[str, Stage], recipe: Path) -> None:
    for name, candidate in load_params(recipe).candidates.items():
        paths, processed = CandidatePaths(name, candidate.dataset), DatasetPaths(candidate.dataset).processed
        train, evaluate, confusion_matrix = (resolved[f"{stage}@{name}"] for stage in STAGES[3:])
        assert processed in deps(project, train)
        assert outs(project, train) == {paths.model, paths.history, paths.repeats, paths.calibration}
        assert deps(project, evaluate) >= {processed, paths.model, paths.repeats}
        measured = outs(project, evaluate) - {paths.thresholds}
        assert {path.parent for path in measured} == {paths.reports}
        drawn_from = measured - {paths.reports / "metrics.json"}
        assert deps(project, confusion_matrix) >= drawn_from | {processed, paths.history, paths.repeats}
        assert {path.parent for path in outs(project, confusion_matrix)} == {paths.reports}


def test_the_code_that_a_stage_depends_on_is_there(project: Path, resolved: dict[str, Stage]) -> None:
    for name, stage in resolved.items():
        code = {path for path in deps(project, stage) if path.parts[0] in ("podium", "stages")}
        assert Path(f"stages/{name.partition('@')[0]}.py") in code
        assert not [path for path in code if not (REPOSITORY / path).exists()]


def test_every_stage_of_dvc_yaml_is_a_module_that_its_command_names() -> None:
    content = yaml.safe_load((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert [*content] == [*STAGES]
    for name, stage in content.items():
        assert stage["do"]["cmd"] == f"python -m stages {name} ${{key}}"
        assert (REPOSITORY / "stages" / f"{name}.py").is_file()


def kinds(union: Any) -> set[str]:
    """The `kind`s of a table entry: Annotated[A | B, …] gives those of A and B."""
    members = get_args(get_args(union)[0])
    return {kind for member in members for kind in get_args(get_type_hints(member)["kind"])}


@pytest.mark.parametrize(
    ("union", "room", "shared"),
    [
        (Source, "datasets/sources", {"transfer"}),
        (Format, "datasets/formats", {"detect", "example", "image_files", "objects", "opaque", "survey"}),
        (Model, "models/zoo", {"backbones", "parts"}),
    ],
)
def test_every_kind_has_a_module_of_its_name_and_every_module_a_kind(union: Any, room: str, shared: set[str]) -> None:
    modules = {path.stem for path in (REPOSITORY / "podium" / room).iterdir() if not path.name.startswith("__")}
    assert len(kinds(union)) > 1
    assert modules - shared == kinds(union)


def test_every_kind_of_source_is_in_its_rooms_dictionary() -> None:
    assert set(sources._FETCH) == kinds(Source)


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("podium.cli", HEAVIER),
        ("podium.config", HEAVIER),
        ("stages.download", HEAVIER),
        ("stages.preprocess", HEAVIER - {"pandas"}),
        pytest.param("stages.validate", HEAVY, marks=pytest.mark.slow),
        pytest.param("stages.confusion_matrix", HEAVY, marks=pytest.mark.slow),
        pytest.param(
            "podium.models.runtime as runtime; runtime.prepare(alone=True); import stages.train",
            {"matplotlib", "sklearn"},
            id="stages.train",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_importing_a_module_leaves_heavy_packages_alone(module: str, without: set[str]) -> None:
    program = f"import sys, {module}; print(*sorted({without} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
