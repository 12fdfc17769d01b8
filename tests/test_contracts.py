"""Each import contract of pyproject.toml breaks where an import that it forbids is planted, also inside a function."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.makers import REPOSITORY

ROOMS = "rooms import one way"
DATASETS = "inside datasets: starter and acceptance, validation, preprocessing, splits, formats, archive"
KINDS = "one kind of format or model knows no other"
THROUGH_DVC = "flows reach the stages through DVC alone"
FILES_ONLY = "stages write files only: no MLflow, no Prefect"
TENSORFLOW = "TensorFlow: models, training and the logged model alone"
NEVER_REACHES = "what prepares, measures or shows data never reaches TensorFlow, not even by others"

DECIDING = "the gate and the card of a decision know no MLflow, not even by others"

PLANTED = {
    ROOMS: [
        ("podium.errors", "podium.files"),
        ("podium.paths", "podium.files"),
        ("podium.config.params", "podium.images.decoding"),
        ("podium.workspace.graph", "podium.config"),
        ("podium.pages.html", "podium.datasets.arrays"),
        ("podium.images.phash", "podium.pages.html"),
        ("podium.datasets.splits", "podium.evaluation.metrics"),
        ("podium.evaluation.boxes", "podium.models.files"),
        ("podium.models.inference", "podium.training.batches"),
        ("podium.training.history", "podium.tracking.curves"),
        ("podium.tracking.ledger", "podium.registry.gate"),
        ("podium.tracking.ledger", "podium.serving.probe"),
        ("podium.serving.probe", "podium.registry.decision"),
        ("podium.registry.gate", "flows.schedule"),
        ("stages.download", "podium.registry.gate"),
        ("flows.server", "podium.cli.list"),
    ],
    DATASETS: [
        ("podium.datasets.archive.zips", "podium.datasets.formats.example"),
        ("podium.datasets.formats.example", "podium.datasets.splits"),
        ("podium.datasets.splits", "podium.datasets.validation.manifest"),
        ("podium.datasets.preprocessing", "podium.datasets.validation.manifest"),
        ("podium.datasets.validation.limits", "podium.datasets.starter"),
        ("podium.datasets.acceptance", "podium.datasets.starter"),
    ],
    DECIDING: [
        ("podium.registry.gate.deciding", "mlflow"),
        ("podium.registry.card.page", "podium.registry.journal"),  # which imports MLflow
    ],
    KINDS: [
        ("podium.datasets.formats.csv_index.read", "podium.datasets.formats.image_folder.read"),
        ("podium.models.zoo.cnn", "podium.models.zoo.dense"),
    ],
    THROUGH_DVC: [("flows.tasks", "stages.train")],
    FILES_ONLY: [
        ("stages.train", "mlflow"),
        ("stages.evaluate", "prefect"),
        ("stages.preprocess", "podium.tracking.ledger"),
        ("stages.validate", "flows.schedule"),
    ],
    "dvc: the workspace alone": [
        ("podium.datasets.provenance", "dvc"),
        ("podium.cli.use", "dvc"),
        ("flows.tasks", "dvc"),
        ("stages.download", "dvc"),
    ],
    "prefect: the flows alone": [
        ("podium.cli.run", "prefect"),
        ("podium.registry.gate", "prefect"),
        ("stages.train", "prefect"),
    ],
    "dask: where candidates are compared alone": [
        ("flows.pipeline", "distributed"),
        ("podium.evaluation.ranking", "dask"),
        ("podium.cli.sweep", "prefect_dask"),
        ("podium.workspace.clone", "dask"),
    ],
    "mlflow: tracking, serving and registry alone": [
        ("podium.datasets.formats.survey.words", "mlflow"),
        ("podium.training.history", "mlflow"),
        ("podium.cli.list", "mlflow"),
        ("flows.pipeline", "mlflow"),
    ],
    "kaggle: one file": [
        ("podium.datasets.sources.transfer", "kaggle"),
        ("podium.cli.init", "kagglesdk"),
        ("flows.data_check", "kaggle"),
    ],
    "defusedxml: one file": [("podium.datasets.formats.coco.read", "defusedxml")],
    "great_expectations: one file": [
        ("podium.datasets.validation.report", "great_expectations"),
        ("flows.data_check", "great_expectations"),
    ],
    "gradio: the app alone": [
        ("podium.cli.serve", "gradio"),
        ("podium.registry.promotion", "gradio"),
        ("podium.serving.feedback", "gradio"),
        ("podium.serving.export.space", "gradio"),
    ],
    TENSORFLOW: [
        ("podium.registry.promotion", "tensorflow"),
        ("podium.tracking.curves", "keras"),
        ("podium.tracking.logged_model", "keras"),
        ("podium.serving.child", "tensorflow"),
        ("podium.cli.run", "tensorboard"),
        ("flows.pipeline", "tensorflow"),
        ("stages.train", "keras"),
    ],
    NEVER_REACHES: [
        ("podium.config.loading", "tensorflow"),
        ("podium.images.decoding", "keras"),
        ("podium.datasets.splits", "tensorflow"),
        ("podium.evaluation.metrics", "tensorflow"),
        ("podium.pages.plots", "keras"),
        ("podium.workspace.graph", "prefect"),
        ("stages.confusion_matrix", "podium.models.files"),  # which imports TensorFlow
    ],
}
CASES = [(contract, *edge) for contract, edges in PLANTED.items() for edge in edges]


def copy_code(folder: Path) -> Path:
    for name in ("podium", "stages", "flows"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def plant(folder: Path, importer: str, imported: str) -> None:
    path = folder.joinpath(*importer.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    with file.open("a", encoding="utf-8") as code:
        code.write(f"\n\ndef planted() -> None:\n    import {imported}\n")


def lint(folder: Path) -> tuple[int, dict[str, str]]:
    """The exit status, and what is said of each broken contract, by the contract's name."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    wide = os.environ | {"COLUMNS": "1000", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=wide, capture_output=True, text=True, check=False)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    _, _, broken = done.stdout.partition("Broken contracts")
    _, *sections = re.split(r"^(.+)\n-{3,}$", broken, flags=re.M)
    return done.returncode, dict(zip(sections[::2], sections[1::2], strict=True))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said of each contract, with its imports planted: in three copies, so that none hides another."""
    found = {}
    for contracts in ({ROOMS}, {DATASETS, KINDS}, PLANTED.keys() - {ROOMS, DATASETS, KINDS}):
        folder = copy_code(tmp_path_factory.mktemp("planted"))
        for contract in contracts:
            for importer, imported in PLANTED[contract]:
                plant(folder, importer, imported)
        status, said = lint(folder)
        assert status == 1
        found |= {contract: said.get(contract, "") for contract in contracts}
    return found


@pytest.mark.parametrize(("contract", "importer", "imported"), CASES)
def test_a_planted_import_breaks_its_contract(
    broken: dict[str, str], contract: str, importer: str, imported: str
) -> None:
    assert f"{importer} -> {imported} (l." in broken[contract]


def test_a_new_module_of_datasets_needs_a_layer(tmp_path: Path) -> None:
    (copy_code(tmp_path) / "podium/datasets/novelty.py").write_text('"""Nobody said where it belongs."""\n')
    status, said = lint(tmp_path)
    assert (status, [*said]) == (1, [DATASETS])
    assert "novelty" in said[DATASETS]


def test_the_code_as_it_is_keeps_every_contract(tmp_path: Path) -> None:
    assert lint(copy_code(tmp_path)) == (0, {})


def test_every_contract_has_an_import_that_is_planted() -> None:
    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert {contract["name"] for contract in pyproject["tool"]["importlinter"]["contracts"]} == PLANTED.keys()


def test_every_kind_of_format_and_model_stands_apart() -> None:
    config = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (one for one in config["tool"]["importlinter"]["contracts"] if one["type"] == "independence")
    formats = {path.parent.name for path in (REPOSITORY / "podium/datasets/formats").glob("*/read.py")}
    models = {path.stem for path in (REPOSITORY / "podium/models/zoo").glob("*.py")} - {"__init__", "parts"}
    expected = {f"datasets.formats.{kind}" for kind in formats} | {f"models.zoo.{kind}" for kind in models}
    assert set(contract["modules"]) == {f"podium.{kind}" for kind in expected}
