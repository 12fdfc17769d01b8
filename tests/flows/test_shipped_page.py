"""What `make run` promises, on the page as it is shipped."""

import json
import re
import sys
from typing import Any

import numpy as np
import pytest

from tests.flows.workspace import Workspace

pytestmark = pytest.mark.slow


def test_the_first_champion_is_good_enough(shipped: Workspace) -> None:
    assert shipped.champion().tags["podium.candidate"] == "digits-cnn"
    assert shipped.accuracy("digits-cnn", "test") >= 0.97


def test_a_run_is_told_in_few_lines_and_ends_with_where_to_look(shipped: Workspace) -> None:
    lines = shipped.output.splitlines()  # type: ignore[attr-defined]
    assert re.fullmatch(r"9 of 9 stages have work to do: about \d+ (seconds|minutes) on this machine\.", lines[0])
    stages = [line for line in lines if re.search(r", wrote .*  (\d+ min )?\d+(\.\d)? s$", line)]
    candidates = ("digits-dense", "digits-cnn")
    expected = [f"{kind} digits" for kind in ("download", "validate", "preprocess")]
    expected += [f"{kind} {name}" for name in candidates for kind in ("train", "evaluate", "confusion_matrix")]
    assert sorted(line.partition(":")[0] for line in stages) == sorted(expected)
    epochs = [line for line in lines if re.match(r"train \S+ … epoch ", line)]
    assert {f"train {name} … epoch {last}" for name, last in zip(candidates, ("15/15", "20/20"), strict=True)} <= {
        line.partition(" (")[0] for line in epochs
    }
    (table,) = [place for place, line in enumerate(lines) if line.startswith("candidate ")]
    assert re.fullmatch(r"candidate +validation accuracy +test accuracy +training time", lines[table])
    assert [line.split()[0] for line in lines[table + 1 : table + 3]] == ["digits-cnn", "digits-dense"]
    assert f"{shipped.accuracy('digits-cnn', 'test'):.4f}" in lines[table + 1]
    said = lines[table + 4 :]
    assert said[0].startswith("digits-cnn (version 1) is the first champion")
    assert said[1].startswith("9 of 9 stages had work to do; the run took ")
    assert f"mlflow ui --backend-store-uri sqlite:///{shipped.root}/mlflow.db" in said[3]
    assert "prefect server start" in said[4]
    assert said[5].endswith(f"{shipped.root}/reports")
    known = {lines[0], *stages, *epochs, *lines[table : table + 3], *said[:6], ""}
    assert [line for line in lines if line not in known] == []  # nothing else: no warning, no news of Prefect's
    assert not re.search(r"[^\x20-\uffff\n]", shipped.output)  # type: ignore[attr-defined]


def test_a_run_holds_curve_figures_lineage_and_model(shipped: Workspace) -> None:
    (run,) = shipped.runs("digits-cnn")
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test/accuracy"] == shipped.accuracy("digits-cnn", "test")
    assert run.data.params["fit.learning_rate"] == "0.003"
    curve = shipped.mlflow.get_metric_history(run.info.run_id, "curve/validation_accuracy")
    assert [point.step for point in curve] == list(range(1, 21))
    assert run.data.tags["mlflow.source.git.commit"] == shipped.run("git", "rev-parse", "HEAD").strip()
    assert {entry.dataset.name for entry in run.inputs.dataset_inputs} == {
        "digits/train",
        "digits/validation",
        "digits/test",
    }
    files = {file.path for file in shipped.mlflow.list_artifacts(run.info.run_id, "reports")}
    assert "reports/confusion_matrix.png" in files


def test_the_curve_arrived_while_it_trained(shipped: Workspace) -> None:
    (run,) = shipped.runs("digits-cnn")
    curve = shipped.mlflow.get_metric_history(run.info.run_id, "curve/loss")
    assert len({point.timestamp for point in curve}) > 2
    assert run.info.start_time < curve[0].timestamp < run.info.end_time


def test_candidates_line_up(shipped: Workspace) -> None:
    (cnn,), (dense,) = shipped.runs("digits-cnn"), shipped.runs("digits-dense")
    assert cnn.info.experiment_id == dense.info.experiment_id
    assert cnn.data.metrics.keys() == dense.data.metrics.keys()
    settings = [{name for name in run.data.params if not name.startswith("model.")} for run in (cnn, dense)]
    assert settings[0] - settings[1] == {"augmentation"}, "the other candidate has none"
    assert "none" not in {*cnn.data.params.values(), *dense.data.params.values()}


@pytest.mark.soak  # the flow itself had it answer, in a process of its own, before it promoted it
def test_the_champion_answers_plain_pixels_as_evaluate_did(shipped: Workspace) -> None:
    program = """
import json, sys, mlflow, numpy
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/digits@champion")
images = numpy.load("data/processed/digits/test/images.npy")
labels = numpy.load("data/processed/digits/test/labels.npy")
names = json.load(open("data/processed/digits/classes.json"))
answers = model.predict({"image": list(images)})
hits = [answer["label"] == names[label] for answer, label in zip(answers, labels, strict=True)]
print(json.dumps([str(model.metadata.signature.inputs), float(numpy.mean(hits))]))
"""
    output = shipped.run(sys.executable, "-c", program, f"sqlite:///{shipped.root}/mlflow.db")
    inputs, accuracy = json.loads(output.strip().splitlines()[-1])
    assert "'image'" in inputs
    assert np.isclose(accuracy, shipped.accuracy("digits-cnn", "test"))


def test_a_second_run_does_nothing_and_says_why(shipped: Workspace, prefect_server: str) -> None:
    lock = (shipped.root / "dvc.lock").read_bytes()
    shipped.environment["PREFECT_API_URL"] = prefect_server
    try:
        output = shipped.flow()
    finally:
        del shipped.environment["PREFECT_API_URL"]
    assert output.startswith("Nothing to do: all 9 stages are up to date. ")
    assert "0 of 9 stages had work to do" in output
    assert "digits-cnn is the champion already (version 1)" in output
    assert len(shipped.runs("digits-cnn")) == len(shipped.runs("digits-dense")) == 1
    assert (shipped.root / "dvc.lock").read_bytes() == lock


def test_dvc_finds_nothing_to_do_after_the_flow(shipped: Workspace) -> None:
    assert "Data and pipelines are up to date" in shipped.run("dvc", "repro")


def without_times(lock: Any) -> Any:
    """All that is the same at every run: a candidate's page and its cost.json have times."""
    for stage in lock["stages"].values():
        for kind in ("deps", "outs"):
            timed = re.compile(r"reports/digits/digits-\w+/(cost\.json|index\.html)")
            stage[kind] = [file for file in stage[kind] if not timed.fullmatch(file["path"])]
    return lock


@pytest.mark.soak  # the flow has every stage made by `dvc repro`
def test_plain_dvc_repro_gives_the_same_bytes(shipped: Workspace, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Workspace(tmp_path_factory.mktemp("plain") / "project")
    other.run("dvc", "repro", "confusion_matrix@digits-dense")
    assert other.metrics("digits-dense") == shipped.metrics("digits-dense")
    plain, flow = (without_times(workspace.lock())["stages"] for workspace in (other, shipped))
    assert len(plain) == 6
    assert plain == {name: flow[name] for name in plain}
    assert not (other.root / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("dvc metrics show --json", '"macro_f1"'),
        ("dvc dag", "confusion_matrix@digits-cnn"),
        ("dvc plots show --json", "confusions.csv"),
        ("dvc status", "up to date"),
        ("dvc exp show --json", "candidates"),
    ],
)
def test_dvc_commands_work(shipped: Workspace, command: str, expected: str) -> None:
    assert expected in shipped.run(*command.split())
