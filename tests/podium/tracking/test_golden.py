import json
from pathlib import Path

import numpy as np
import pytest

from podium.datasets.arrays import Split
from podium.errors import PodiumError
from podium.evaluation.predictions import Predictions
from podium.images.decoding import decode
from podium.tracking.classifier import Size
from podium.tracking.golden import COUNT, choose_golden, save_golden


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([0, 0, 0, 1, 1, 2], 6),
        ([0] * 20 + [1] * 20, COUNT),
        ([0] * 100 + [1], COUNT),
        (list(range(24)) * 3, COUNT),
        ([5], 1),
    ],
)
def test_golden_images_are_spread_over_the_classes(labels: list[int], expected: int) -> None:
    rows = choose_golden(np.array(labels))
    assert len({*rows}) == len(rows) == expected
    chosen = [labels[row] for row in rows]
    assert len({*chosen}) == min(COUNT, len({*labels}))
    assert rows == choose_golden(np.array(labels))


def make(channels: int, *, boxes: bool = False) -> tuple[Split, Predictions]:
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (10, 5, 7, channels), np.uint8), np.arange(10) % 3
    ids = np.array([f"image-{row}" for row in range(10)])
    sizes = np.tile(np.float32([1, 2, 3, 2]), (10, 1)) if boxes else None
    probabilities = random.dirichlet(np.ones(3), 10).astype(np.float32)
    groups, digests = np.arange(10), np.array(["0"] * 10)
    said = Predictions(ids, labels, probabilities, groups, digests, ("a", "b", "ü"), (5, 7, channels), sizes, sizes)
    return Split(images, labels, ids, sizes), said


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("boxes", [False, True])
def test_golden_images_keep_their_pixels_and_what_was_said_of_them(tmp_path: Path, channels: int, boxes: bool) -> None:
    split, predictions = make(channels, boxes=boxes)
    save_golden(split, predictions.take(np.arange(10)[::-1]), tmp_path)  # they need not be in the split's order
    known = json.loads((tmp_path / "golden.json").read_text(encoding="utf-8"))["images"]
    assert len(known) == COUNT
    for one in known:
        row = split.ids.tolist().index(one["id"])
        size = Size(5, 7, channels, "pad")
        np.testing.assert_array_equal(decode((tmp_path / one["image"]).read_bytes(), size), split.images[row])
        assert [*one["probabilities"]] == ["a", "b", "ü"]
        assert [*one["probabilities"].values()] == predictions.probabilities[row].astype(float).tolist()
        assert one["label"] == "abü"[predictions.probabilities[row].argmax()]
        assert one.get("box") == ([1, 2, 4, 4] if boxes else None)


def test_the_same_split_gives_the_same_bytes(tmp_path: Path) -> None:
    split, predictions = make(3)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        save_golden(split, predictions, tmp_path / name)
    files = [
        sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")) for name in ("one", "other")
    ]
    assert files[0] == files[1]
    for file in files[0]:
        if (tmp_path / "one" / file).is_file():
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_an_image_without_a_prediction_is_told(tmp_path: Path) -> None:
    split, predictions = make(1)
    other = Split(split.images, split.labels, np.array([f"other-{row}" for row in range(10)]))
    with pytest.raises(PodiumError, match="no prediction for the validation image other-0"):
        save_golden(other, predictions, tmp_path)
