"""`podium compare`, on what lies in reports/ and on what MLflow keeps."""

import json
import re
from pathlib import Path

import pytest

from podium.cli import main
from tests.makers import REPOSITORY
from tests.trained import CANDIDATES, Trained, make_champion


@pytest.fixture
def project_of(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """The made-up project, with the current folder in it."""
    (trained.root / "dvc.yaml").write_text((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(trained.root)
    monkeypatch.setenv("COLUMNS", "120")
    return trained


def compare(*words: str) -> int:
    return main(["compare", *words])


def test_two_candidates_have_a_table_and_a_page(project_of: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(*CANDIDATES) == 0
    output = capsys.readouterr().out
    assert re.search(r"accuracy  digits-dense  1\.0000 \(0\.\d+ to 1\.000\)", output)
    assert re.search(r"accuracy  digits-cnn  -0\.1667 \(-0\.\d+ to \+0\.\d+\)\s+0\.500  no more than noise", output)
    assert "6 images of the test split, seen by both." in output
    assert "What they can show: a difference of " in output
    place = "reports/digits/compare/digits-dense-vs-digits-cnn.html"
    assert f"Look at {place}" in output
    page = (project_of.root / place).read_text(encoding="utf-8")
    assert page.count("<img") == 1
    assert page.count("<polyline") == 4


def test_the_validation_split_can_be_asked_for(project_of: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    project_of.write_predictions("digits-cnn", wrong=0)
    assert compare("--split", "validation", *CANDIDATES) == 0
    output = capsys.readouterr().out
    assert "6 images of the validation split" in output
    assert "Look at reports/digits/compare/digits-dense-vs-digits-cnn-validation.html" in output


def test_a_candidate_is_compared_with_a_version_of_mlflows(
    project_of: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "digits-cnn"
    project_of.train(project_of.ledger, name)
    result = project_of.ledger.publish(name)
    make_champion(project_of.client, result)
    project_of.write_predictions(name, wrong=3)  # trained again since
    assert compare("digits@champion", "digits/1", name, result.run_id) == 0
    output = capsys.readouterr().out
    assert re.search(r"digits-cnn\s+-0\.3333", output)
    page = (project_of.root / re.findall(r"Look at (\S+)", output)[0]).read_text(encoding="utf-8")
    assert "MLflow, version 1, run" in page
    assert page.count("<polyline") == 8


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["digits-dense", "digits-ccn"], "has no candidate 'digits-ccn'. Did you mean 'digits-cnn'?"),
        (["digits-dense"], "1 model is named. Expected two to 6 different ones"),
        (["digits-dense", "digits-dense"], "1 model is named"),
        (["digits-dense", "digits/1"], "MLflow has no 'digits/1'"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    project_of: Trained, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert compare(*words) == 1
    output = capsys.readouterr()
    assert message in output.err
    assert not list((project_of.root / "reports/digits").glob("compare/*"))


def test_a_candidate_that_is_not_evaluated_is_answered_with_the_command(
    project_of: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    (project_of.root / project_of.paths("digits-cnn").reports / "predictions.parquet").unlink()
    assert compare(*CANDIDATES) == 1
    assert "Run `dvc repro evaluate@digits-cnn`" in capsys.readouterr().err


def test_cost_is_beside_where_it_is_known(project_of: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    cost: dict[str, float | str | None] = {"parameters": 12_345, "training_seconds": None, "machine": "two cores"}
    (project_of.root / project_of.paths("digits-cnn").reports / "cost.json").write_text(json.dumps(cost))
    assert compare(*CANDIDATES) == 0
    page = Path("reports/digits/compare/digits-dense-vs-digits-cnn.html").read_text(encoding="utf-8")
    assert "12,345" in page
    assert "Measured on two cores" in page
