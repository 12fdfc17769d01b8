import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from dvc.repo import Repo

from podium.files import remove
from podium.models.seconds import load_seconds
from podium.training import phases
from podium.training.checkpoint import read_seconds
from stages import confusion_matrix, download, evaluate, preprocess, train, validate
from tests.makers import make_arrays, make_manifest, make_page, make_rows, make_table, save_page

pytestmark = pytest.mark.slow

MADE = ("data", "models", "reports")


@pytest.fixture
def prepared(project: Path) -> Path:
    make_page(project, make_table(make_rows(60)))
    for stage in (download, validate, preprocess):
        stage.main("dots")
    return project


def test_the_six_stages_write_what_dvc_expects_and_nothing_else(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in (train, evaluate, confusion_matrix):
        stage.main("dots-dense")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    with Repo.init(str(prepared), no_scm=True) as repo:
        outs = {Path(out.fs_path) for out in repo.index.outs}
    board = prepared / "models/dots-dense/tensorboard"
    assert board.is_dir()
    remove(board)  # nobody's output: it can be removed at any time
    remove(prepared / "models/dots-dense/seconds.json")
    files = {path for folder in MADE for path in (prepared / folder).rglob("*") if path.is_file()}
    assert [out for out in outs if not out.exists()] == []
    assert sorted(file for file in files if not outs & {file, *file.parents}) == [
        prepared / "data/additions.csv",
        prepared / "data/review.csv",
    ]


def test_evaluate_measures_both_splits_with_the_trained_model(prepared: Path) -> None:
    train.main("dots-dense")
    evaluate.main("dots-dense")
    reports = prepared / "reports/dots/dots-dense"
    predictions = pd.read_parquet(reports / "predictions.parquet")
    metrics = json.loads((reports / "metrics.json").read_text())
    split = pd.read_csv(prepared / "data/processed/dots/split.csv").set_index("id")["split"]
    assert predictions["split"].tolist() == split[predictions["id"]].tolist()
    for name in ("validation", "test"):
        rows = predictions[predictions["split"] == name]
        assert len(rows) == 15
        assert metrics[name]["accuracy"] == pytest.approx((rows["actual"] == rows["predicted"]).mean())
        assert metrics[name]["accuracy_low"] <= metrics[name]["accuracy"] <= metrics[name]["accuracy_high"]
    names = ("accuracy", "accuracy_low", "accuracy_high")
    clean = {name: metrics["test"][name] for name in names} | {"images": 15}
    assert metrics["test_clean"] == clean, "no test image looks like one of train"
    per_class = pd.read_csv(reports / "per_class.csv")
    assert per_class["class"].tolist() == ["left", "right", "both"]
    assert per_class["support"].tolist() == [5, 5, 5]


def test_evaluate_measures_again_without_the_test_images_that_leak(prepared: Path) -> None:
    train.main("dots-dense")
    evaluate.main("dots-dense")
    reports = prepared / "reports/dots/dots-dense"
    predictions = pd.read_parquet(reports / "predictions.parquet")
    tested = predictions[predictions["split"] == "test"]
    leaking, kept = tested[:5], tested[5:]
    leaks = prepared / "reports/dots/validation/leaks.csv"
    lines = [f"{id_},test,train.csv:2,train,0,False,True" for id_ in leaking["id"][:4]]
    lines += [f"{leaking['id'].iloc[4]},test,train.csv:3,validation,0,False,True"]  # seen by who chose the model
    leaks.write_text("\n".join([leaks.read_text().strip(), *lines]) + "\n")
    evaluate.main("dots-dense")
    clean = json.loads((reports / "metrics.json").read_text())["test_clean"]
    assert clean["images"] == 10
    assert clean["accuracy"] == pytest.approx((kept["actual"] == kept["predicted"]).mean())


def test_evaluate_sets_our_figures_beside_the_published_ones(prepared: Path) -> None:
    page = make_page(prepared, make_table(make_rows(60)))
    published = {"model": "theirs", "metric": "weighted_f1", "split": "validation", "value": 0.25}
    page["datasets"]["dots"]["reference"] = [published | {"standard_error": None, "source": "https://example.org"}]
    save_page(prepared, page)
    train.main("dots-dense")
    evaluate.main("dots-dense")
    reports = prepared / "reports/dots/dots-dense"
    metrics = json.loads((reports / "evaluation.json").read_text())["metrics"]
    comparison = pd.read_csv(reports / "comparison.csv")
    assert comparison["model"].tolist() == ["dots-dense", "theirs"]
    assert comparison["value"].tolist() == pytest.approx([metrics["validation"]["weighted_f1"]["value"], 0.25])


def test_boxes_go_through_all_three_stages(prepared: Path) -> None:
    page = make_page(prepared, make_table(make_rows(60)))
    page["datasets"]["dots"]["target"] = "label_and_box"
    page["schedules"]["short"]["box_weight"] = 0.5
    save_page(prepared, page)
    remove(prepared / "data/processed/dots")
    make_manifest(make_arrays(prepared / "data/processed/dots", boxes=True), prepared / "data/manifests/dots.parquet")
    for stage in (train, evaluate, confusion_matrix):
        stage.main("dots-dense")
    reports = prepared / "reports/dots/dots-dense"
    metrics = json.loads((reports / "metrics.json").read_text())
    predictions = pd.read_parquet(reports / "predictions.parquet")
    for name in ("validation", "test"):
        rows = predictions[predictions["split"] == name]
        assert metrics[name]["mean_iou"] == pytest.approx(rows["iou"].mean())
        joint = (rows["iou"] >= 0.5) & (rows["actual"] == rows["predicted"])
        assert metrics[name]["joint_accuracy"] == pytest.approx(joint.mean())
        assert 0 < metrics[name]["box_mse"] < 1
    history = pd.read_csv(prepared / "models/dots-dense/history.csv")
    assert history["validation_box_loss"].iloc[-1] == pytest.approx(metrics["validation"]["box_mse"], rel=1e-4)


def test_train_in_two_processes_writes_the_same_bytes_and_nothing_beside_them(prepared: Path) -> None:
    contents = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "stages", "train", "dots-dense"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[-1].startswith("train dots-dense: read data/processed/dots, trained dense (163")
        assert "tensorboard" in {path.name for path in (prepared / "models/dots-dense").iterdir()}
        for timed in ("tensorboard", "seconds.json"):
            remove(prepared / "models/dots-dense" / timed)
        made = (prepared / "models/dots-dense").rglob("*")
        contents.append({path.name: path.read_bytes() for path in made if path.is_file()})
    assert sorted(contents[0]) == ["calibration.json", "history.csv", "model.keras", "seeds.csv"]
    assert contents[0] == contents[1]


def test_a_killed_training_ends_in_the_same_temperature_and_counts_its_seconds(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = prepared / "models/dots-dense"

    def contents() -> list[bytes]:
        return [(models / name).read_bytes() for name in ("calibration.json", "model.keras", "history.csv")]

    monkeypatch.setattr("podium.evaluation.temperature.LEAST_IMAGES", 15)
    train.main("dots-dense")
    expected, temperatures = contents(), json.loads((models / "calibration.json").read_text())["temperature"]
    assert [*temperatures] == ["0"]
    assert temperatures["0"] != 1.0
    remove(models)

    class Doomed(phases.History):
        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            time.sleep(0.5)
            if epoch == 1:
                raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(phases, "History", Doomed)
        with pytest.raises(KeyboardInterrupt):
            train.main("dots-dense")
    before = read_seconds(models / "checkpoint.npz")
    assert before >= 0.5
    assert not (models / "seconds.json").exists()
    train.main("dots-dense")
    assert contents() == expected
    noted = load_seconds(models / "model.keras", models / "seconds.json")
    assert noted is not None
    assert noted[0] >= round(before, 1)


def test_every_seed_is_trained_as_if_it_were_alone_and_the_spread_is_told(prepared: Path) -> None:
    page = make_page(prepared, make_table(make_rows(60)))
    alone = {}
    for seed in (3, 4, 5):
        page["schedules"]["short"] |= {"seed": seed, "repeats": None}
        save_page(prepared, page)
        train.main("dots-dense")
        evaluate.main("dots-dense")
        reports, models = prepared / "reports/dots/dots-dense", prepared / "models/dots-dense"
        metrics = json.loads((reports / "metrics.json").read_text())
        alone[seed] = (models / "model.keras").read_bytes(), metrics["test"]["loss"], metrics["validation"]["accuracy"]
        assert "repeats" not in metrics
        assert [path.name for path in (models / "repeats").iterdir()] == ["seeds.csv"]
        assert pd.read_csv(models / "repeats/seeds.csv")["seed"].tolist() == []
        assert pd.read_csv(reports / "seeds.csv")["seed"].tolist() == [seed]
    page["schedules"]["short"] |= {"seed": 3, "repeats": 3}
    save_page(prepared, page)
    train.main("dots-dense")
    evaluate.main("dots-dense")
    models_of = {3: models / "model.keras"} | {seed: models / f"repeats/{seed}/model.keras" for seed in (4, 5)}
    assert {seed: path.read_bytes() for seed, path in models_of.items()} == {
        seed: model for seed, (model, *_) in alone.items()
    }
    assert not [*models.glob("checkpoint*")]
    assert pd.read_csv(models / "repeats/seeds.csv")["seed"].tolist() == [4, 5]
    seeds = pd.read_csv(reports / "seeds.csv")
    assert seeds["seed"].tolist() == [3, 4, 5]
    assert seeds["test_loss"].tolist() == pytest.approx([loss for _, loss, _ in alone.values()])
    repeats = json.loads((reports / "metrics.json").read_text())["repeats"]
    assert repeats["seeds"] == 3
    assert repeats["test_accuracy_std"] == pytest.approx(seeds["test_accuracy"].std())
    assert repeats["validation_accuracy_mean"] == pytest.approx(sum(one[2] for one in alone.values()) / 3)
    comparison = pd.read_csv(reports / "comparison.csv")
    assert comparison["model"].tolist() == ["dots-dense", "dots-dense, mean of 3 seeds"]
    assert comparison["value"][1] == pytest.approx(seeds["test_accuracy"].mean())
