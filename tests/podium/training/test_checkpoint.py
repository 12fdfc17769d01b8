"""A training that is cut anywhere, any number of times, ends in the bytes of one that is not."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from podium.config.schedules import Augmentation, Schedule
from podium.errors import PodiumError
from podium.models import zoo
from podium.models.files import save_model
from podium.training import checkpoint_callback, optimizers, phases
from podium.training.checkpoint import Checkpoint
from podium.training.history import History
from podium.training.phase_control import describe_progress
from podium.training.phases import train
from podium.training.training_key import training_key
from tests.makers import CNN, DENSE, MOBILENET, SIDE, make_arrays, make_phase, make_schedule

pytestmark = pytest.mark.slow

AUGMENTED = Augmentation(rotate=5.0, shift=0.1, zoom=0.1)
KILLS = 6
FEW = (("on_train_batch_end", 2, 0), ("on_epoch_begin", 1, 300))
"""A kill within an epoch that keeps each batch, and one after an epoch's checkpoint."""
MOMENTS = {"on_train_batch_end": 1, "on_epoch_end": 4, "on_epoch_begin": 4}
"""Where a kill comes, and about how many batches lie between two of them."""
DROPPING = replace(DENSE, dropout=0.5)


class KillError(Exception):
    """Ends a training as a kill does: nothing is tidied up."""


class Place:
    """Where a training writes, and trains again."""

    def __init__(self, folder: Path, processed: Path) -> None:
        self.history, self.checkpoint, self.model = (folder / name for name in ("h.csv", "c.npz", "m.keras"))
        self.processed = processed

    def train(self, model: Any, schedule: Schedule) -> bytes:
        """Give the bytes of the model and of the history."""
        keras.utils.clear_session()  # layers are named as in a fresh interpreter
        self.history.unlink(missing_ok=True)  # as DVC does before a stage
        save_model(train(model, schedule, self.processed, self.history, self.checkpoint), self.model)
        return self.model.read_bytes() + self.history.read_bytes()


@pytest.fixture
def site(tmp_path: Path) -> Place:
    return Place(tmp_path, make_arrays(tmp_path / "dots"))


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Have the next trainings end before (`on_epoch_begin`) or after the nth time that something happens."""

    def arrange(moment: str, count: int) -> None:
        left = iter(range(count))

        def happen(self: History, *arguments: Any, **more: Any) -> None:
            getattr(History, moment)(self, *arguments, **more)
            if next(left, None) is None:
                raise KillError

        monkeypatch.setattr(phases, "History", type("Doomed", (History,), {moment: happen}))

    return arrange


def said(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [message for message in caplog.messages if words in message]


KINDS: dict[str, tuple[Any, Schedule]] = {
    "adam and dropout": (DROPPING, make_schedule(make_phase(epochs=4), augmentation=AUGMENTED)),
    "adamw down a cosine, five steps an epoch": (
        CNN,
        make_schedule(
            make_phase(epochs=3, optimizer="adamw", decay="cosine"), augmentation=AUGMENTED, steps_per_epoch=5
        ),
    ),
    "momentum, then adam": (
        CNN,
        make_schedule(
            make_phase(name="warm", epochs=2, optimizer="sgd", momentum=0.9),
            make_phase(name="fine", epochs=2, decay="step", decay_factor=0.5, decay_every=1),
        ),
    ),
    "the best epochs, out of patience, down plateaus, to smooth labels": (
        DROPPING,
        make_schedule(
            # too fast to get better: its first epochs are its best
            make_phase(name="warm", epochs=4, learning_rate=1.0, keep_best="validation_loss", patience=1),
            make_phase(
                **{"name": "fine", "epochs": 4, "keep_best": "validation_accuracy", "learning_rate": 0.3},
                **{"decay": "plateau", "decay_factor": 0.5, "decay_every": 1},
            ),
            class_weights="balanced",
            label_smoothing=0.1,
        ),
    ),
    "bfloat16, warmed up": (
        replace(CNN, dropout=0.5),
        make_schedule(make_phase(epochs=4, decay="cosine", warmup=2), precision="bfloat16", augmentation=AUGMENTED),
    ),
}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("the best epochs")])
def test_two_kills_change_no_byte(
    site: Place,
    kind: str,
    kill_at: Callable[[str, int], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    model, schedule = KINDS[kind]
    expected = site.train(model, schedule)
    site.checkpoint.unlink()
    for moment, count, every in FEW:
        kill_at(moment, count)
        monkeypatch.setattr(checkpoint_callback, "CHECKPOINT_INTERVAL_SECONDS", every)
        with pytest.raises(KillError):
            site.train(model, schedule)
    monkeypatch.undo()
    assert site.train(model, schedule) == expected
    assert said(caplog, "resumes after batch")
    assert said(caplog, "resumes after epoch")


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS)
def test_kills_at_random_moments_change_no_byte(
    site: Place,
    kind: str,
    kill_at: Callable[[str, int], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At any batch; between an epoch's row and its checkpoint; after its checkpoint. Some keep each batch."""
    caplog.set_level(logging.INFO)
    model, schedule = KINDS[kind]
    expected = site.train(model, schedule)
    site.checkpoint.unlink()
    draws, killed = np.random.default_rng(0), 0
    for _ in range(KILLS):
        moment, count, every = (
            (draws.choice([*MOMENTS]), draws.integers(1, 8), draws.choice([0, 300]))
            if killed
            else ("on_train_batch_end", 2, 0)  # within an epoch that keeps each batch
        )
        kill_at(moment, count // MOMENTS[moment])
        monkeypatch.setattr(checkpoint_callback, "CHECKPOINT_INTERVAL_SECONDS", every)
        try:
            assert site.train(model, schedule) == expected
            site.checkpoint.unlink()
        except KillError:
            killed += 1
    monkeypatch.undo()
    assert site.train(model, schedule) == expected
    assert killed > KILLS / 2
    assert said(caplog, "resumes after epoch")
    assert said(caplog, "resumes after batch")


@pytest.mark.soak
def test_a_head_phase_and_then_all_of_a_pretrained_network(
    site: Place, tmp_path: Path, kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_callback, "CHECKPOINT_INTERVAL_SECONDS", 0)
    weights = tmp_path / "base.weights.h5"
    zoo.build(MOBILENET, (SIDE, SIDE, 1), {"label": 3}).get_layer("network").save_weights(weights)
    model = replace(MOBILENET, weights=str(weights))
    schedule = make_schedule(
        make_phase(name="warm", trainable="head", epochs=1), make_phase(name="fine", epochs=1, learning_rate=1e-4)
    )
    expected = site.train(model, schedule)
    site.checkpoint.unlink()
    for moment, count in (("on_train_batch_end", 1), ("on_epoch_begin", 1)):
        kill_at(moment, count)
        with pytest.raises(KillError):
            site.train(model, schedule)
    monkeypatch.undo()
    assert site.train(model, schedule) == expected


@pytest.mark.soak
def test_the_best_weights_of_a_phase_that_was_over_before_the_kill_are_taken(
    site: Place, kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the next phase's first batch, after it, and after its first epoch, which has a best of its own."""
    phase = make_phase(name="warm", epochs=3, learning_rate=1.0, keep_best="validation_loss")
    schedule = make_schedule(phase, replace(phase, name="fine", learning_rate=0.01, epochs=2))
    expected = site.train(DROPPING, schedule)
    for moment, count in (("on_epoch_begin", 3), ("on_train_batch_end", 9), ("on_epoch_begin", 4)):
        site.checkpoint.unlink()
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint_callback, "CHECKPOINT_INTERVAL_SECONDS", 0)
            kill_at(moment, count)
            with pytest.raises(KillError):
                site.train(DROPPING, schedule)
        monkeypatch.setattr(phases, "History", History)
        assert site.train(DROPPING, schedule) == expected, moment


def test_the_time_that_a_training_took_before_a_kill_counts(
    site: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    schedule = make_schedule(make_phase(epochs=50), make_phase(name="fine", epochs=50), minutes=1)
    clock = iter(range(10**9))
    monkeypatch.setattr(checkpoint_callback.time, "monotonic", lambda: next(clock))
    found = site.train(DROPPING, schedule)
    epochs = site.history.read_text().count("\n") - 1
    assert 1 < epochs < 15
    assert said(caplog, f"the time is up after epoch {epochs} of 100")
    assert site.train(DROPPING, schedule) == found  # no further epoch, and no further phase


def test_boxes_have_sums_of_their_own(
    tmp_path: Path, kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_callback, "CHECKPOINT_INTERVAL_SECONDS", 0)
    site = Place(tmp_path, make_arrays(tmp_path / "boxed", boxes=True))
    schedule = make_schedule(make_phase(epochs=1), box_weight=0.5)
    expected = site.train(DROPPING, schedule)
    site.checkpoint.unlink()
    for _ in range(2):
        kill_at("on_train_batch_end", 1)  # the last batch is not kept before the validation
        with pytest.raises(KillError):
            site.train(DROPPING, schedule)
    monkeypatch.undo()
    assert site.train(DROPPING, schedule) == expected


def test_a_training_that_was_killed_before_its_model_was_safe_is_only_written_again(
    site: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    expected = site.train(DROPPING, make_schedule())
    caplog.clear()
    assert site.train(DROPPING, make_schedule()) == expected
    assert caplog.messages == ["resumes after epoch 2 of 2"]


@pytest.fixture
def cut(site: Place, kill_at: Callable[[str, int], None], monkeypatch: pytest.MonkeyPatch) -> Place:
    """A training of two epochs that was killed after the first."""
    with monkeypatch.context():
        kill_at("on_epoch_begin", 1)
        with pytest.raises(KillError):
            site.train(DROPPING, make_schedule())
    monkeypatch.setattr(phases, "History", History)
    return site


def test_a_kill_while_the_checkpoint_is_written_leaves_the_one_before(
    cut: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = cut.checkpoint.read_bytes()

    def half(file: Any, **_: Any) -> None:
        file.write(before[:1000])
        raise KillError

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", half)
        with pytest.raises(KillError):
            cut.train(DROPPING, make_schedule())
    assert cut.checkpoint.read_bytes() == before
    whole = cut.train(DROPPING, make_schedule())
    assert len(said(caplog, "resumes after epoch 1 of 2")) == 2
    cut.checkpoint.unlink()
    assert cut.train(DROPPING, make_schedule()) == whole


def test_a_damaged_checkpoint_is_never_gone_on_with_and_stops_nothing(cut: Place) -> None:
    kept = Checkpoint(cut.checkpoint, training_key(DROPPING, make_schedule(), cut.processed))
    good, draws = cut.checkpoint.read_bytes(), np.random.default_rng(0)
    state = kept.read()
    assert (state.batch, len(state.rows)) == (3, 1)
    for length in (0, 1, 30, *draws.integers(0, len(good), 100)):
        cut.checkpoint.write_bytes(good[:length])
        assert kept.read().batch == 0
    for position in draws.integers(0, len(good), 1000):
        damaged = bytearray(good)
        damaged[position] ^= 1 << draws.integers(8)
        cut.checkpoint.write_bytes(damaged)
        found = kept.read()
        if found.batch:  # it hit what nobody reads, such as a date
            assert (found.batch, found.rows) == (state.batch, state.rows)
            for part, values in state.values.items():
                assert all(np.array_equal(a, b) for a, b in zip(values, found.values[part], strict=True))


def test_a_training_whose_checkpoint_is_damaged_begins_anew(cut: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    whole = cut.train(DROPPING, make_schedule())
    cut.checkpoint.write_bytes(cut.checkpoint.read_bytes()[:-100])
    assert cut.train(DROPPING, make_schedule()) == whole
    assert said(caplog, "cannot be read (File is not a zip file): the training begins anew")


def test_with_other_params_a_training_begins_anew(cut: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    other = make_schedule(seed=1)
    found = cut.train(DROPPING, other)
    assert said(caplog, "begins anew: params changed since")
    (tmp_path / "fresh").mkdir()
    assert Place(tmp_path / "fresh", cut.processed).train(DROPPING, other) == found


def test_what_a_result_depends_on_is_in_the_fingerprint(
    site: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "base.weights.h5"
    weights.write_bytes(b"one")
    model = replace(MOBILENET, weights=str(weights))

    def changed() -> list[str]:
        now = training_key(model, make_schedule(), site.processed)
        return [name for name in before if now[name] != before[name]]

    before = training_key(model, make_schedule(), site.processed)
    assert changed() == []
    for other in ((replace(model, units=[4]), make_schedule()), (model, make_schedule(make_phase(learning_rate=0.02)))):
        assert training_key(*other, site.processed)["params"] != before["params"]
    weights.write_bytes(b"two")
    assert changed() == ["weights"]
    weights.write_bytes(b"one")
    for file in ("train/images.npy", "train/labels.npy", "validation/images.npy", "classes.json"):
        content = (site.processed / file).read_bytes()
        (site.processed / file).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # its size stays
        assert changed() == ["data"], file
        (site.processed / file).write_bytes(content)
    make_arrays(tmp_path / "other")
    (tmp_path / "other/test/images.npy").rename(site.processed / "test/images.npy")
    assert changed() == []
    with monkeypatch.context() as patch:
        patch.setattr(keras, "__version__", "0")
        assert changed() == ["packages"]
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0" if before["machine"].endswith("None)") else "other")
    assert changed() == ["machine"]


def test_other_data_and_other_code_are_named(cut: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    key = training_key(DROPPING, make_schedule(), cut.processed) | {"data": "other", "code": "other"}
    assert Checkpoint(cut.checkpoint, key).read().batch == 0
    assert caplog.messages[-1].startswith("the training begins anew: data and code changed since ")


def test_a_training_that_diverges_says_where_and_what_is_kept(
    site: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wild = make_phase(name="wild", epochs=4, optimizer="sgd", learning_rate=1.0)

    def rate(phase: Any, steps: int) -> Any:
        return keras.optimizers.schedules.PiecewiseConstantDecay([1, 2, 3], [0.01, 0.01, 0.01, 1e30])

    monkeypatch.setattr(optimizers, "_learning_rate", rate)
    words = (
        r"^The loss is (nan|inf) after batch 3 of 3, epoch 2 of 4 \(phase wild\): the training diverged\. Try a lower "
        r"learning_rate in params\.yaml; .* The state after epoch 1 of 4 is kept in .*c\.npz\.$"
    )
    for _ in range(2):
        with pytest.raises(PodiumError, match=words):
            site.train(DENSE, make_schedule(wild))
    assert said(caplog, "resumes after epoch 1 of 4")
    assert site.history.read_text().count("\n") == 2
    monkeypatch.undo()
    site.train(DENSE, make_schedule(replace(wild, learning_rate=0.01)))
    assert said(caplog, "begins anew: params changed")


def test_a_training_that_diverges_at_once_keeps_nothing(site: Place) -> None:
    phase = make_phase(name="wild", learning_rate=1e30, optimizer="sgd", epochs=5)
    with pytest.raises(PodiumError, match=r"epoch 1 of 5 \(phase wild\): .* begins anew\.$"):
        site.train(CNN, make_schedule(phase))
    assert not site.checkpoint.exists()


def test_weights_that_the_very_last_batch_throws_off_are_noticed(site: Place) -> None:
    phase = make_phase(learning_rate=1e38, optimizer="sgd", epochs=1)
    with pytest.raises(PodiumError, match=r"^The validation loss is nan after batch 1 of 1, epoch 1 of 1"):
        site.train(CNN, make_schedule(phase, steps_per_epoch=1))


@pytest.mark.soak
def test_too_little_memory_is_said_with_a_batch_size_to_try(site: Place) -> None:
    """Each image of a batch would take 64 TB."""
    with pytest.raises(PodiumError, match=r"cannot hold a training on batches of 16\. Set .*batch_size .* to 8, and"):
        site.train(replace(MOBILENET, size=4_000_000), make_schedule())


def test_too_little_memory_for_one_image_has_other_advice(site: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(self: History, *_: Any, **more: Any) -> None:
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(History, "on_train_batch_end", exhaust)
    with pytest.raises(PodiumError, match=r"batches of 1\. Choose smaller images or a smaller model in params\.yaml"):
        site.train(DENSE, make_schedule(batch_size=1))


def test_a_class_without_training_images_is_refused_before_the_training(site: Place) -> None:
    (site.processed / "classes.json").write_text('["left", "right", "both", "up", "down"]\n')
    with pytest.raises(PodiumError, match=r"no image of 2 of the 5 classes: up, down\. Take them out of the dataset"):
        site.train(DENSE, make_schedule())
    assert not site.history.exists()


@pytest.mark.parametrize(
    ("batch", "words"),
    [(7, "batch 7 of 10 of epoch 1 of 3"), (10, "epoch 1 of 3"), (29, "batch 9 of 10 of epoch 3 of 3")],
)
def test_a_place_in_a_training_has_words(batch: int, words: str) -> None:
    assert describe_progress(batch, 10, 3) == words
