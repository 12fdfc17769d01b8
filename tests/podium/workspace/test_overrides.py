import shutil
from pathlib import Path

import pytest

from podium.config import load_params
from podium.errors import PodiumError
from podium.workspace.overrides import apply, expand, find_key
from tests.makers import REPOSITORY


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return Path(shutil.copy(REPOSITORY / "recipes" / "digits.yaml", tmp_path / "params.yaml"))


def test_a_grid_has_every_combination_in_order() -> None:
    assert expand(["a.x=1,2", "a.y=[3,4],[5]"]) == [
        ("a.x=1", "a.y=[3,4]"),
        ("a.x=1", "a.y=[5]"),
        ("a.x=2", "a.y=[3,4]"),
        ("a.x=2", "a.y=[5]"),
    ]


def test_a_range_is_spelled_as_dvc_exp_run_spells_it() -> None:
    assert expand(["a.x=range(1,4)"]) == [("a.x=1",), ("a.x=2",), ("a.x=3",)]


def test_no_override_is_one_combination() -> None:
    assert expand([]) == [()]


@pytest.mark.parametrize("bad", ["dropout", "a.x=glob(*)", "a b=1"])
def test_what_is_no_override_is_said_with_an_example(bad: str) -> None:
    with pytest.raises(PodiumError, match=r"(such as|like) candidates"):
        expand([bad])


def test_the_key_of_an_optional_value_is_found() -> None:
    assert find_key("+schedules.quick.label_smoothing=0.1") == "schedules.quick.label_smoothing"


def test_a_page_is_changed_and_still_holds(page: Path) -> None:
    apply(page, ["candidates.digits-cnn.model.dropout=0.4", "schedules.quick.phases.0.learning_rate=0.01"])
    params = load_params(page)
    assert params.candidates["digits-cnn"].model.dropout == 0.4  # type: ignore[union-attr]
    assert params.schedules["quick"].phases[0].learning_rate == 0.01
    assert params.datasets == load_params(REPOSITORY / "recipes" / "digits.yaml").datasets


def test_a_key_that_the_page_has_not_is_refused_and_the_page_stays(page: Path) -> None:
    with pytest.raises(PodiumError, match="cannot be set"):
        apply(page, ["candidates.digits-cnn.model.droput=0.4"])
    assert load_params(page) == load_params(REPOSITORY / "recipes" / "digits.yaml")
