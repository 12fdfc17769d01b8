"""A champion that cannot be compared is a stated reason, never a crash; one that can be asked again is asked."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from podium.files import file_digest
from podium.registry.gathering import Evidence, find_images, gather
from podium.registry.kept import load_kept
from podium.tracking import Result
from tests.challenges import IMAGES, digest, keep, make_result, predict
from tests.podium.registry.test_promotion import aliases, challenge
from tests.trained import DATASET, make_digits

pytestmark = pytest.mark.usefixtures("serving")
NAMES = [f"v{place}" for place in range(IMAGES)]


def compare(client: MlflowClient, result: Result, root: Path) -> Evidence:
    """Let a result speak against version 1."""
    champion = client.get_model_version(DATASET, "1")
    runs = client.get_run(result.run_id), client.get_run(champion.run_id)
    (root / "fetched").mkdir()
    return gather(client, root, DATASET, runs[0], champion, runs[1], root / "fetched")


def folder_of(client: MlflowClient, result: Result) -> Path:
    return Path(client.get_run(result.run_id).info.artifact_uri.removeprefix("file://"))


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ("reports", "The predictions of version 1 are gone from MLflow's artifacts, and it cannot be asked again"),
        ("lineage", "Nothing in MLflow says which images the champion was trained on"),
        ("damaged", "holds no predictions that this podium wrote"),
        ("classes", "have other classes"),
        ("images", "None of the 120 validation images counts: 120 not predicted by the champion"),
        ("trained on", "None of the 120 validation images counts: 120 trained on by the champion"),
    ],
)
def test_a_champion_that_cannot_be_compared_is_a_reason_and_force_is_the_way_on(
    client: MlflowClient, tmp_path: Path, gone: str, reason: str
) -> None:
    others = {
        "classes": predict(60, classes=("zero", "one")),
        "images": predict(60, names=[f"x{n}" for n in range(60)]),
    }
    trained_on = NAMES if gone == "trained on" else ["t0"]
    champion = make_result(client, "digits-dense", 60, predictions=others.get(gone), trained_on=trained_on)
    challenge(client, champion)
    folder = folder_of(client, champion)
    if gone in ("reports", "lineage"):
        shutil.rmtree(folder / gone)
    if gone == "damaged":
        (folder / "reports/predictions.parquet").write_text("nothing")
    result = make_result(client, "digits-cnn", 90, trained_on=["t1"])
    outcome = challenge(client, result)
    assert (outcome.promoted, outcome.decision.ground) == (False, "incomparable")
    assert reason in outcome.reason
    assert aliases(client)["champion"] == "1"
    kept = load_kept(Path(client.download_artifacts(result.run_id, "decisions/0002", str(tmp_path))))
    assert reason in kept.context.incomparable
    again = challenge(client, result)
    assert "Nothing is new since decision 2" in again.reason


def test_a_champion_whose_run_is_gone_is_a_reason(client: MlflowClient) -> None:
    challenge(client, make_result(client, "digits-dense", 60))
    evidence = gather(
        client,
        Path("nowhere"),
        DATASET,
        client.get_run(make_result(client, "digits-cnn", 90).run_id),
        client.get_model_version(DATASET, "1"),
        None,
        Path("nowhere"),
    )
    assert evidence == Evidence(None, {}, "The run of version 1 is gone, and what it predicted with it.")


def test_a_champion_whose_run_was_deleted_still_speaks(client: MlflowClient) -> None:
    champion = make_result(client, "digits-dense", 60)
    challenge(client, champion)
    client.delete_run(champion.run_id)
    assert challenge(client, make_result(client, "digits-cnn", 90)).promoted


def test_images_alike_to_what_the_champion_was_trained_on_are_found_by_the_manifest(
    client: MlflowClient, tmp_path: Path
) -> None:
    challenge(client, make_result(client, "digits-dense", 60, trained_on=["t0", "t1"]))
    (tmp_path / "data/manifests").mkdir(parents=True)
    rows = [(digest(name), place) for place, name in enumerate([*NAMES, "t0", "t1"])]
    manifest = pd.DataFrame(rows, columns=["sha256", "group"])
    manifest.loc[manifest["sha256"] == digest("t0"), "group"] = 7
    manifest.to_parquet(tmp_path / "data/manifests/digits.parquet")
    evidence = compare(client, make_result(client, "digits-cnn", 90, trained_on=["t1"]), tmp_path)
    assert evidence.left_out == {"near-duplicate of an image that the champion was trained on": 1}
    assert evidence.pairs is not None
    assert "v7" not in evidence.pairs.ids


def test_what_the_champion_was_tested_on_it_has_not_seen(client: MlflowClient, tmp_path: Path) -> None:
    champion = make_result(client, "digits-dense", 60, predictions=predict(10, names=NAMES[:60]))
    challenge(client, champion)
    from podium.evaluation.predictions import save_predictions

    splits = {"validation": predict(10, names=NAMES[:60]), "test": predict(30, names=NAMES[60:])}
    save_predictions(splits, folder_of(client, champion) / "reports/predictions.parquet")
    evidence = compare(client, make_result(client, "digits-cnn", 90), tmp_path)
    assert evidence.pairs is not None
    assert (len(evidence.pairs), evidence.left_out) == (IMAGES, {})


def test_images_that_are_not_at_hand_are_grey(tmp_path: Path) -> None:
    make_digits(tmp_path)
    found = find_images(tmp_path)(np.array(["validation-3", "nobody"]))
    assert [image.shape for image in found] == [(8, 8, 1), (32, 32, 1)]
    assert (found[1] == 128).all()
    assert len(find_images(tmp_path / "nowhere")(np.array(["a", "b"]))) == 2


@pytest.mark.slow
@pytest.mark.parametrize("known", [0, 2], ids=["nothing kept", "some kept"])
@pytest.mark.parametrize("side", [8, 9])
def test_a_champion_is_asked_about_images_of_its_size_that_it_has_not_predicted(
    client: MlflowClient, tmp_path: Path, known: int, side: int
) -> None:
    import keras  # with what follows, five seconds to import

    from podium.datasets.arrays import open_split
    from podium.models import zoo
    from podium.models.files import save_model
    from podium.models.inference import predict as ask
    from tests.logged import log_evaluated
    from tests.makers import DENSE

    keras.utils.set_random_seed(0)
    processed = tmp_path / "data/processed/digits"
    make_digits(processed, side=side)
    make_digits(tmp_path / "old")
    save_model(zoo.build(DENSE, (8, 8, 1), {"label": 10}), tmp_path / "model.keras")
    run = client.create_run(client.get_experiment_by_name(DATASET).experiment_id, run_name="digits-dense")
    run = log_evaluated(client, run, tmp_path / "model.keras", tmp_path / "old", tmp_path / "reports")
    model_id = run.outputs.model_outputs[0].model_id
    classes = tuple(f"class {place}" for place in range(10))
    names = [f"validation-{place}" for place in range(6)]
    labels = [*range(6)]
    if known:
        keep(client, run.info.run_id, predict(1, names=names[:known], labels=labels[:known], classes=classes), ["t"])
    else:
        keep(client, run.info.run_id, predict(1, names=names, labels=labels, classes=classes), ["t"])
        (
            folder_of(client, Result("", run.info.run_id, "", {}, "", is_new=True)) / "reports/predictions.parquet"
        ).unlink()
    challenge(
        client,
        Result(
            "digits-dense", run.info.run_id, model_id, {"validation": {"accuracy": 1.0, "loss": 0.0}}, "", is_new=True
        ),
    )
    some = predict(3, names=names, labels=labels, classes=classes, side=side)
    result = make_result(client, "digits-cnn", 3, predictions=some)
    client.set_tag(result.run_id, "podium.splits", file_digest(processed / "split.csv"))
    evidence = compare(client, result, tmp_path)
    if side == 9:
        assert (evidence.pairs is None) == (known == 0)
        assert ("takes images of 8 × 8 × 1, these are of 9 × 9 × 1" in evidence.incomparable) == (known == 0)
        assert evidence.left_out == ({"not predicted by the champion": 4} if known else {})
        return
    assert evidence.pairs is not None
    assert (len(evidence.pairs), evidence.left_out) == (6, {})
    expected = ask(keras.saving.load_model(tmp_path / "model.keras"), open_split(processed / "validation")).argmax(
        axis=1
    )
    said = dict(zip(evidence.pairs.ids.tolist(), evidence.pairs.champion.predicted.tolist(), strict=True))
    assert [said[name] for name in names[known:]] == expected[known:].tolist()
