import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.compare.cluster import count_workers, processors, share_processors
from flows.compare.plan import Plan, make_plan
from podium.config import load_params
from podium.errors import PodiumError
from tests.makers import REPOSITORY

DROPOUT = "candidates.digits-cnn.model.dropout"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(REPOSITORY / "recipes" / "digits.yaml", tmp_path / "params.yaml")
    return tmp_path


def edit(root: Path, change: Any) -> None:
    page = yaml.safe_load((root / "params.yaml").read_text())
    change(page)
    (root / "params.yaml").write_text(yaml.safe_dump(page, sort_keys=False))


def titles(plan: Plan) -> list[str]:
    return [trial.title for trial in plan.trials]


def test_by_default_every_candidate_is_trained_as_it_is(root: Path) -> None:
    plan = make_plan(root, None, None, 1)
    assert titles(plan) == ["digits-dense, seed 0", "digits-cnn, seed 0"]
    assert all(trial.is_on_page for trial in plan.trials)


def test_a_dataset_stands_for_its_candidates(root: Path) -> None:
    assert titles(make_plan(root, ["digits"], None, 1)) == titles(make_plan(root, None, None, 1))


def test_a_grid_is_about_the_candidates_that_it_names(root: Path) -> None:
    plan = make_plan(root, None, [f"{DROPOUT}=0.1,0.2"], 1)
    assert titles(plan) == ["digits-cnn, dropout 0.1, seed 0", "digits-cnn, dropout 0.2, seed 0"]
    assert [trial.is_on_page for trial in plan.trials] == [False, True]  # 0.2 is what the page says


def test_a_key_of_a_schedule_is_about_the_candidates_that_train_by_it(root: Path) -> None:
    plan = make_plan(root, None, ["schedules.quick.phases.0.learning_rate=0.001,0.01"], 1)
    assert [variant.candidate for variant in plan.variants] == ["digits-dense"] * 2


def test_other_candidates_take_part_as_they_are_if_they_are_named(root: Path) -> None:
    plan = make_plan(root, ["digits-dense", "digits-cnn"], [f"{DROPOUT}=0.1,0.3"], 1)
    assert [variant.title for variant in plan.variants] == [
        "digits-dense",
        "digits-cnn, dropout 0.1",
        "digits-cnn, dropout 0.3",
    ]


def test_seeds_follow_the_schedules_own(root: Path) -> None:
    edit(root, lambda page: page["schedules"]["quick"].update(seed=7))
    plan = make_plan(root, ["digits-dense"], None, 3)
    assert [trial.seed for trial in plan.trials] == [7, 8, 9]
    assert [trial.is_on_page for trial in plan.trials] == [True, False, False]


def test_each_trial_has_a_whole_page_that_asks_for_it(root: Path, tmp_path: Path) -> None:
    (first, second) = make_plan(root, None, [f"{DROPOUT}=0.4"], 2).trials
    for trial in (first, second):
        file = tmp_path / "page.yaml"
        file.write_text(trial.page)
        params = load_params(file)
        assert params.candidate("digits-cnn").model.dropout == 0.4  # type: ignore[union-attr]
        assert params.schedule("augmented").seed == trial.seed
    assert first.stages == ("train@digits-cnn", "evaluate@digits-cnn", "confusion_matrix@digits-cnn")


def test_the_same_sweep_has_the_same_key_and_another_has_not(root: Path) -> None:
    key = make_plan(root, None, [f"{DROPOUT}=0.1,0.2"], 1).key("digits")
    assert make_plan(root, None, [f"{DROPOUT}=0.1,0.2"], 1).key("digits") == key
    assert make_plan(root, None, [f"{DROPOUT}=0.1,0.3"], 1).key("digits") != key


@pytest.mark.parametrize(
    ("candidates", "grid", "seeds", "said"),
    [
        (["digits-cn"], None, 1, "Did you mean 'digits-cnn'"),
        (None, ["candidates.digits-cn.model.dropout=0.1"], 1, "Did you mean 'digits-cnn'"),
        (None, ["schedules.quik.seed=0,1"], 1, "Did you mean 'quick'"),
        (None, [f"{DROPOUT}=0.1,1.5"], 1, f"{DROPOUT}=1.5: params.yaml, line"),
        (None, ["candidates.digits-cnn.model.droput=0.1"], 1, "cannot be set"),
        (None, ["datasets.digits.image.height=8,16"], 1, "all have to see the same images"),
        (["digits-dense"], [f"{DROPOUT}=0.1"], 1, "is about no candidate of this sweep"),
        (None, ["candidates.digits-cnn.dataset=other"], 1, "other"),
        (None, [f"{DROPOUT}=range(0,1,0.0001)"], 1, "makes 10,000 trainings. Expected 1,000 at most"),
        (None, ["dropout"], 1, "sets no key"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(
    root: Path, candidates: list[str] | None, grid: list[str] | None, seeds: int, said: str
) -> None:
    with pytest.raises(PodiumError) as caught:
        make_plan(root, candidates, grid, seeds)
    assert said in str(caught.value)


def test_seeds_side_by_side_and_one_after_another_are_not_mixed(root: Path) -> None:
    edit(root, lambda page: page["schedules"]["quick"].update(repeats=3))
    assert len(make_plan(root, ["digits-dense"], None, 1).trials) == 1
    with pytest.raises(PodiumError, match="take repeats out"):
        make_plan(root, ["digits-dense"], None, 2)


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_workers_share_all_processors_and_none_has_another_ones_while_they_go_round(workers: int) -> None:
    shares = share_processors(workers)
    assert len(shares) == workers
    assert all(shares)
    assert {one for share in shares for one in share} <= {*processors()}
    if workers <= len(processors()):
        assert sorted(one for share in shares for one in share) == processors()


def test_there_are_no_more_workers_than_trainings() -> None:
    assert count_workers(1) == 1
    assert 1 <= count_workers(1000) <= len(processors())
