import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from podium.datasets.arrays import open_split
from podium.registry import promote
from podium.registry.promotion import CANDIDATE, CHAMPION, PREVIOUS, SCORE, SPLITS
from podium.tracking import Result
from tests.trained import DATASET, IMAGES, Unreliable, log_empty_model, make_digits

NOWHERE = Path("nowhere")
"""A validation split that nobody may open."""

pytestmark = pytest.mark.usefixtures("no_address")


@pytest.fixture
def client(tmp_path: Path, store: Path) -> MlflowClient:
    shutil.copy(store, tmp_path / "mlflow.db")
    return make_client(tmp_path)


def make_client(root: Path) -> MlflowClient:
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    client.create_experiment(DATASET, artifact_location=(root / "artifacts").as_uri())
    return client


def make_result(
    client: MlflowClient, candidate: str, accuracy: float, *, loss: float = 0.5, splits: str = "one"
) -> Result:
    """Put a run with a logged model into the ledger. It has no metrics of the test split: to read them fails."""
    run = client.create_run(client.get_experiment_by_name(DATASET).experiment_id, run_name=candidate)
    return Result(
        candidate=candidate,
        run_id=run.info.run_id,
        model_id=log_empty_model(client, run),
        metrics={"validation": {"accuracy": accuracy, "loss": loss}},
        splits=splits,
        is_new=True,
    )


def alias(client: MlflowClient, name: str) -> Any:
    return client.get_model_version_by_alias(DATASET, name)


def describe_registry(client: MlflowClient) -> dict[str, Any]:
    """Give all that the registry holds, but for the ids and the times of day."""
    model = client.get_registered_model(DATASET)
    versions = client.search_model_versions(f"name = '{DATASET}'")
    return {
        "description": model.description,
        "aliases": model.aliases,
        "versions": sorted((str(one.version), one.description, sorted(one.tags.items())) for one in versions),
    }


def test_the_first_challenger_becomes_champion(client: MlflowClient) -> None:
    result = make_result(client, "cnn", 0.5)
    decision = promote(client, DATASET, [result], NOWHERE)
    assert decision.promoted
    assert decision.reason == "cnn is the first champion: validation accuracy 0.5000."
    champion = alias(client, CHAMPION)
    assert (champion.run_id, champion.source) == (result.run_id, f"models:/{result.model_id}")
    assert champion.description == decision.reason
    assert champion.tags == {CANDIDATE: "cnn", SCORE: "0.5", SPLITS: "one"}
    assert client.get_registered_model(DATASET).aliases == {CHAMPION: champion.version}


def test_a_better_challenger_takes_over_and_the_champion_becomes_previous(client: MlflowClient) -> None:
    first, second, third = (make_result(client, name, score) for name, score in (("a", 0.5), ("b", 0.6), ("c", 0.7)))
    promote(client, DATASET, [first], NOWHERE)
    decision = promote(client, DATASET, [second], NOWHERE)
    assert decision.reason == "b beats the champion a (version 1): validation accuracy 0.6000 against 0.5000."
    assert (alias(client, CHAMPION).run_id, alias(client, PREVIOUS).run_id) == (second.run_id, first.run_id)
    promote(client, DATASET, [third], NOWHERE)
    assert (alias(client, CHAMPION).run_id, alias(client, PREVIOUS).run_id) == (third.run_id, second.run_id)


@pytest.mark.parametrize("score", [0.5, 0.4], ids=["tie", "worse"])
def test_a_challenger_that_is_not_better_changes_nothing(client: MlflowClient, score: float) -> None:
    promote(client, DATASET, [make_result(client, "a", 0.5)], NOWHERE)
    before = describe_registry(client)
    decision = promote(client, DATASET, [make_result(client, "b", score, loss=0.1)], NOWHERE)
    assert not decision.promoted
    assert "b does not beat the champion a (version 1)" in decision.reason
    assert describe_registry(client) == before


def test_the_champions_own_result_changes_nothing(client: MlflowClient) -> None:
    result = make_result(client, "a", 0.5)
    promote(client, DATASET, [result], NOWHERE)
    before = describe_registry(client)
    decision = promote(client, DATASET, [make_result(client, "b", 0.4), result], NOWHERE)
    assert not decision.promoted
    assert decision.reason == "a is the champion already (version 1)."
    assert describe_registry(client) == before


def test_the_best_has_the_highest_accuracy_and_of_several_the_lowest_loss(client: MlflowClient) -> None:
    results = [
        make_result(client, "sure", 0.5, loss=0.1),
        make_result(client, "vague", 0.6, loss=0.9),
        make_result(client, "best", 0.6, loss=0.8),
    ]
    assert promote(client, DATASET, results, NOWHERE).reason.startswith("best is the first champion")


def test_a_former_champion_that_is_the_best_again_keeps_its_version(client: MlflowClient) -> None:
    first, second = make_result(client, "a", 0.5), make_result(client, "b", 0.6)
    for result in (first, second):
        promote(client, DATASET, [result], NOWHERE)
    client.delete_model_version(DATASET, alias(client, CHAMPION).version)  # someone found it wanting
    assert promote(client, DATASET, [first], NOWHERE).promoted
    assert (alias(client, CHAMPION).version, alias(client, CHAMPION).run_id) == (1, first.run_id)


def test_datasets_have_champions_of_their_own(client: MlflowClient) -> None:
    promote(client, DATASET, [make_result(client, "a", 0.9)], NOWHERE)
    assert promote(client, "letters", [make_result(client, "b", 0.1)], NOWHERE).promoted
    assert client.get_model_version_by_alias("letters", CHAMPION).tags[CANDIDATE] == "b"


def test_a_registry_that_does_not_answer_is_no_registry_without_champion(
    client: MlflowClient,
) -> None:
    promote(client, DATASET, [make_result(client, "a", 0.9)], NOWHERE)
    result = make_result(client, "b", 0.1)
    with pytest.raises(MlflowException, match="no answer to call 1"):
        promote(Unreliable(client, failing=1), DATASET, [result], NOWHERE)  # type: ignore[arg-type]
    assert alias(client, CHAMPION).tags[CANDIDATE] == "a"


@pytest.mark.parametrize("champions", [[], [("a", 0.5)]], ids=["first", "second"])
def test_a_promotion_that_breaks_at_any_call_and_is_repeated_ends_as_if_nothing_had_happened(
    tmp_path: Path, store: Path, champions: list[tuple[str, float]]
) -> None:
    def end(failing: int) -> tuple[dict[str, Any], list[str]]:
        root = tmp_path / str(failing)
        root.mkdir()
        shutil.copy(store, root / "mlflow.db")
        client = make_client(root)
        for name, score in champions:
            promote(client, DATASET, [make_result(client, name, score)], NOWHERE)
        unreliable, result = Unreliable(client, failing), make_result(client, "b", 0.6)
        if failing:
            with pytest.raises(MlflowException, match=f"no answer to call {failing}"):
                promote(unreliable, DATASET, [result], NOWHERE)  # type: ignore[arg-type]
        promote(client if failing else unreliable, DATASET, [result], NOWHERE)  # type: ignore[arg-type]
        return describe_registry(client), unreliable.calls

    expected, calls = end(0)
    assert "create_model_version" in calls
    assert calls[-1] == "set_registered_model_alias"
    for number, name in enumerate(calls, 1):
        assert end(number)[0] == expected, f"call {number}, {name}"


SIDE = 8


@pytest.fixture
def old_champion(client: MlflowClient, tmp_path: Path) -> Path:
    """A champion that was scored 1.0 on other splits, and gives the right class to 4 images of 6 of the new ones.

    Returns:
        The folder of the new validation split.
    """
    import keras  # with what follows, five seconds to import

    from podium.models import zoo
    from podium.models.files import save_model
    from podium.models.inference import predict
    from podium.tracking.logged_model import log_model
    from tests.makers import DENSE

    keras.utils.set_random_seed(0)
    model = zoo.build(DENSE, (SIDE, SIDE, 1), {"label": 10})
    save_model(model, tmp_path / "model.keras")
    make_digits(tmp_path / "unlabelled")
    right = predict(model, open_split(tmp_path / "unlabelled/validation")).argmax(axis=1)
    make_digits(tmp_path / "new", labels=[(label + (row >= 4)) % 10 for row, label in enumerate(right)])
    run = client.create_run(client.get_experiment_by_name(DATASET).experiment_id, run_name="old")
    log_model(client, run, tmp_path / "model.keras", tmp_path / "new")
    run = client.get_run(run.info.run_id)
    metrics = {"validation": {"accuracy": 1.0, "loss": 0.0}}
    model_id = run.outputs.model_outputs[0].model_id
    promote(client, DATASET, [Result("old", run.info.run_id, model_id, metrics, "one", is_new=True)], NOWHERE)
    return tmp_path / "new/validation"


@pytest.mark.slow
@pytest.mark.parametrize(("score", "promoted"), [(0.7, True), (0.6, False)])
def test_a_champion_of_other_splits_is_scored_again_on_these(
    client: MlflowClient, old_champion: Path, score: float, promoted: bool
) -> None:
    decision = promote(client, DATASET, [make_result(client, "new", score, splits="two")], old_champion)
    assert decision.promoted is promoted
    assert f"validation accuracy {score:.4f} against {4 / IMAGES:.4f}" in decision.reason


@pytest.mark.slow
def test_a_champion_of_other_splits_that_takes_images_of_another_shape_scores_nothing(
    client: MlflowClient, old_champion: Path, tmp_path: Path
) -> None:
    make_digits(tmp_path / "wider", side=SIDE + 1)
    images = np.load(tmp_path / "wider/validation/images.npy")
    assert images.shape[1:] == (SIDE + 1, SIDE + 1, 1)
    decision = promote(client, DATASET, [make_result(client, "new", 0.1, splits="two")], tmp_path / "wider/validation")
    assert decision.promoted
    assert "0.1000 against 0.0000" in decision.reason
