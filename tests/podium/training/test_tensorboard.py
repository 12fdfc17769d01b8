"""The history as TensorBoard reads it."""

from pathlib import Path

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from podium.training.phases import train
from tests.makers import DENSE, make_arrays, make_phase, make_schedule

pytestmark = pytest.mark.slow


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Read a log folder as TensorBoard does; give each tag its points."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: [(event.step, float(tensor_util.make_ndarray(event.tensor_proto))) for event in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
    }


@pytest.mark.parametrize("boxes", [False, True])
def test_tensorboard_shows_what_the_history_has_and_nothing_of_an_earlier_training(tmp_path: Path, boxes: bool) -> None:
    processed, board = make_arrays(tmp_path / "dots", boxes=boxes), tmp_path / "tensorboard"
    for epochs in (3, 2):
        schedule = make_schedule(make_phase(epochs=epochs), box_weight=0.5 if boxes else None)
        train(DENSE, schedule, processed, tmp_path / "h.csv", tmp_path / f"{epochs}.npz", tensorboard=board)
        table = pd.read_csv(tmp_path / "h.csv").set_index("step")
        assert len(table) == epochs
        for split, prefix in (("train", ""), ("validation", "validation_")):
            found = scalars(board / split)
            names = {"loss", "accuracy"} | ({"box_loss"} if boxes else set())
            assert found.keys() == names | ({"learning_rate"} if split == "train" else set())
            for name in names:
                assert dict(found[name]) == pytest.approx(dict(table[prefix + name].items()))


def test_a_training_that_goes_on_shows_the_epochs_before_the_kill_once(tmp_path: Path) -> None:
    processed, board = make_arrays(tmp_path / "dots"), tmp_path / "tensorboard"
    for _ in range(2):  # the second finds everything done
        train(DENSE, make_schedule(), processed, tmp_path / "h.csv", tmp_path / "c.npz", tensorboard=board)
    assert [step for step, _ in scalars(board / "train")["loss"]] == [1, 2]
