"""`podium export`: what it asks for before anything is loaded."""

from pathlib import Path

import pytest

from podium.cli import main
from podium.serving.export.targets import TARGETS, choose_targets


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--to", "onxx"], "There is no target 'onxx'. Did you mean 'onnx'?"),
        (["--to", "onnx,tfj"], "There is no target 'tfj'. Did you mean 'tfjs'?"),
        (["--to", ","], "No target is named."),
        ([], "Say what to export to: `podium export digits@champion --to onnx`"),
        (["--to", "onnx", "--rest"], "--rest goes with --check"),
    ],
)
def test_what_cannot_be_meant_is_said_at_once(
    words: list[str], answer: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "digits@champion", *words]) == 1
    assert answer in capsys.readouterr().err


def test_without_a_version_nothing_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(project.iterdir())
    assert main(["export", "digits@champion", "--to", "onnx"]) == 1
    assert "There is no 'digits@champion': MLflow has nothing yet." in capsys.readouterr().err
    assert sorted(project.iterdir()) == before


def test_all_is_every_target_and_names_come_in_the_order_of_the_table() -> None:
    assert choose_targets(["all"]) == TARGETS
    assert [*choose_targets(["tfjs,keras", "onnx"])] == ["keras", "onnx", "tfjs"]
