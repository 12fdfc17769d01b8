from pathlib import Path

import pytest

from podium.models.seconds import load_seconds, save_seconds


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.keras"
    path.write_text("weights")
    return path


def test_the_seconds_of_each_seed_are_read_again(model: Path, tmp_path: Path) -> None:
    save_seconds({0: 12.34, 7: 5.0}, model, tmp_path / "seconds.json")
    assert load_seconds(model, tmp_path / "seconds.json") == {0: 12.3, 7: 5.0}


def test_those_of_another_model_are_not_taken(model: Path, tmp_path: Path) -> None:
    save_seconds({0: 12.34}, model, tmp_path / "seconds.json")
    model.write_text("weights of another revision")
    assert load_seconds(model, tmp_path / "seconds.json") is None


@pytest.mark.parametrize("text", [None, "", "{", "[]", "7", '{"model": 1}', '{"seconds": []}'])
def test_where_nothing_is_noted_nothing_is_known(model: Path, tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "seconds.json").write_text(text)
    assert load_seconds(model, tmp_path / "seconds.json") is None
