import json
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from podium.errors import PodiumError
from podium.evaluation.intervals import estimate_proportion
from podium.evaluation.paired import adjust_for_number
from podium.evaluation.predictions import Predictions
from podium.evaluation.slices import COLUMNS, LEAST_IMAGES, SHOWN, Slices, measure_agreement, slice_up
from tests.podium.evaluation.predicted import make_predictions, make_sure

FACTS = ("width", "height", "brightness", "contrast", "sharpness")


def make_facts(count: int, seed: int = 0, **columns: Any) -> pd.DataFrame:
    """Draw what a manifest knows of images; all have one size."""
    random = np.random.default_rng([seed, 1])
    facts = {name: random.uniform(0, 255, count).astype(np.float32) for name in FACTS[2:]}
    return pd.DataFrame({"width": 640, "height": 480} | facts | columns)


def make_wrong(count: int, wrong: Any = 0.1, seed: int = 0, **more: Any) -> Predictions:
    """Give predictions of three classes, wrong with that probability, by image or for all."""
    right = np.random.default_rng(seed).random(count) >= wrong
    return make_sure(np.full(count, 0.8), right, **more)


def of(found: tuple[pd.DataFrame, Slices], name: str) -> pd.DataFrame:
    return found[0][found[0]["slice"] == name].reset_index(drop=True)


def missing(found: tuple[pd.DataFrame, Slices]) -> dict[str, str]:
    return dict(found[1].missing)


def test_each_value_has_the_accuracy_of_its_images_and_its_interval() -> None:
    some = make_wrong(400, groups=np.arange(400) // 2)
    facts = make_facts(400, format=["JPEG", "PNG"] * 200)
    found = slice_up(some, facts, ["format"])
    assert [*found[0].columns] == COLUMNS
    for value, row in of(found, "format").set_index("value").iterrows():
        inside = (facts["format"] == value).to_numpy()
        expected = estimate_proportion(some.right[inside], some.groups[inside])
        assert (row["images"], row["groups"]) == (200, 200)
        assert (row["accuracy"], row["low"], row["high"]) == pytest.approx(
            (expected.value, expected.low, expected.high)
        )
    classes = of(found, "class")
    assert classes["value"].tolist() == ["class 0", "class 1", "class 2"]
    assert classes["images"].tolist() == np.bincount(some.labels).tolist()


def test_the_p_value_is_that_of_fishers_exact_test_corrected_by_holm() -> None:
    some, facts = make_wrong(300), make_facts(300, mode=["L", "RGB", "RGB"] * 100)
    found = slice_up(some, facts, ["mode"])
    quarters = pd.qcut(facts["brightness"], 4, labels=False).to_numpy()
    cuts = [some.labels == label for label in range(3)]
    for name in FACTS[2:]:
        quarters = pd.qcut(facts[name], 4, labels=False).to_numpy()
        cuts += [quarters == quarter for quarter in range(4)]
    cuts += [(facts["mode"] == mode).to_numpy() for mode in ("L", "RGB")]
    oracle = []
    for inside in cuts:
        table = [[np.sum(~some.right[side]), np.sum(some.right[side])] for side in (inside, ~inside)]
        oracle.append(fisher_exact(table, alternative="greater").pvalue)
    np.testing.assert_allclose(found[0]["p_value"], adjust_for_number(oracle), rtol=1e-9)
    assert found[1].looked_at == len(cuts) == 17


def test_a_part_on_which_the_model_is_worse_is_called_out_and_no_other() -> None:
    facts = make_facts(800)
    dark = facts["brightness"].to_numpy() <= facts["brightness"].quantile(0.25)
    some = make_wrong(800, np.where(dark, 0.3, 0.05))
    found = slice_up(some, facts)
    called = found[0][found[0]["worse"]]
    assert called["slice"].tolist() == ["brightness"]
    assert called["value"].iloc[0].startswith("at most 6")
    assert called["images"].iloc[0] == 200
    assert called["high"].iloc[0] < some.right.mean()
    assert found[1].worse == 1


def test_chance_is_called_out_in_no_more_than_one_of_twenty_splits() -> None:
    """1 to 3 of 100, measured, with 17 to 33 slices; uncorrected it were half of all."""
    splits = [slice_up(make_wrong(300, 0.2, seed), make_facts(300, seed))[1].worse for seed in range(30)]
    assert np.mean([worse > 0 for worse in splits]) <= 0.1


def test_twenty_alike_do_not_pass_for_twenty() -> None:
    """A group of twenty that is wrong among the dark images is one mistake, not twenty."""
    right = np.ones(400, bool)
    right[:20] = right[200:220] = False
    groups = np.arange(400) // 20
    facts = make_facts(400, brightness=np.where(np.arange(400) < 100, 1.0, np.arange(400)))
    alike, single = (slice_up(make_sure(np.full(400, 0.8), right, groups=by), facts) for by in (groups, np.arange(400)))
    assert measure_agreement(make_sure(np.full(400, 0.8), right, groups=groups)) == 1
    assert of(single, "brightness")["worse"].any()
    assert not alike[0]["worse"].any()
    assert of(alike, "brightness")["groups"].iloc[0] == 5


def test_groups_that_agree_by_chance_alone_lose_little() -> None:
    assert measure_agreement(make_wrong(2_000, groups=np.arange(2_000) // 4)) < 0.1
    assert measure_agreement(make_wrong(200)) == 0


def test_numbers_are_cut_into_quarters_by_their_edges() -> None:
    facts = make_facts(100, contrast=np.arange(100, dtype=np.float32), bytes=np.arange(100) * 1_000)
    found = slice_up(make_wrong(100), facts, ["bytes"])
    contrast = of(found, "contrast")
    assert contrast["value"].tolist() == ["at most 24.8", "24.8 to 49.5", "49.5 to 74.2", "above 74.2"]
    assert contrast["images"].tolist() == [25, 25, 25, 25]
    assert of(found, "bytes")["value"].tolist()[1:3] == ["24,750 to 49,500", "49,500 to 74,250"]


def test_few_different_numbers_are_values() -> None:
    facts = make_facts(100, width=[32, 64] * 50, height=[64, 32] * 50, channels=[1, 3] * 50)
    found = slice_up(make_wrong(100), facts, ["channels"])
    assert of(found, "channels")["value"].tolist() == ["1", "3"]
    assert of(found, "size")["value"].tolist() == ["32 × 64", "64 × 32"]


def test_sizes_are_told_apart_by_their_pixels() -> None:
    facts = make_facts(100, width=np.arange(100) + 100, height=100)
    values = of(slice_up(make_wrong(100), facts), "size")["value"].tolist()
    assert values[0] == "at most 12,475 pixels"
    assert len(values) == 4


def test_images_of_which_nothing_is_known_are_said_or_left_out() -> None:
    texts = ["JPEG", None, ""] * 40
    numbers = [1.0, 2.0, np.nan] * 40
    found = slice_up(make_wrong(120), make_facts(120, format=texts, blur=numbers), ["format", "blur"])
    assert of(found, "format")[["value", "images"]].to_numpy().tolist() == [["JPEG", 40], ["none", 80]]
    assert of(found, "blur")[["value", "images"]].to_numpy().tolist() == [["1", 40], ["2", 40]]


@pytest.mark.parametrize(
    ("paths", "values"),
    [
        (["data/indoor/cat/{}.png", "data/outdoor/dog/{}.png"], ["data/indoor", "data/outdoor"]),
        (["a.zip/day/{}.png", "a.zip/night/old/{}.png"], ["a.zip/day", "a.zip/night"]),
        (["{}.png", "more/{}.png"], ["more", "none"]),
    ],
    ids=["below one that all share", "of several depths", "for some images alone"],
)
def test_the_outermost_folder_that_tells_images_apart_is_a_slice(paths: list[str], values: list[str]) -> None:
    ids = [paths[row // 3 % 2].format(row) for row in range(120)]
    assert of(slice_up(make_wrong(120, ids=ids), make_facts(120)), "folder")["value"].tolist() == values


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{row}.png", "the images lie in no folders"),
        ("table.csv:{row}", "the images lie in no folders"),
        ("test/{row}.png", "all images lie in one folder"),
        ("test/{label}/{row}.png", "the folders are the classes"),
        ("test/{row}/0.png", "they are more than 50: 120"),
    ],
)
def test_folders_that_tell_nothing_are_said(pattern: str, reason: str) -> None:
    labels = make_wrong(120).labels
    ids = [pattern.format(row=row, label=label) for row, label in enumerate(labels)]
    assert missing(slice_up(make_wrong(120, ids=ids), make_facts(120)))["folder"] == reason


def test_what_cannot_be_looked_at_is_said_with_its_reason() -> None:
    facts = make_facts(100, mode="RGB", format=["JPEG"] * 95 + ["PNG"] * 5, blank=None, note=[*"ab"] * 50)
    facts["hash"] = [f"{row:x}" for row in range(100)]
    found = slice_up(make_wrong(100), facts.drop(columns="sharpness"), ["mode", "format", "hash", "blank", "note"])
    said = missing(found)
    assert said["size"] == "all images have one value: 640 × 480"
    assert said["sharpness"] == "the manifest has no column 'sharpness'"
    assert said["mode"] == "all images have one value: RGB"
    assert said["format"] == "2 of its 2 values have fewer than 10 images, or all but as many"
    assert said["hash"] == "it has 100 different values, more than 50"
    assert said["blank"] == "all images have one value: none"
    assert "note" not in said
    assert set(found[0]["slice"]) == {"class", "brightness", "contrast", "note"}
    assert json.loads(json.dumps(found[1].describe()))["missing"][0] == {"slice": "size", "reason": said["size"]}


def test_a_column_that_the_manifest_lacks_is_refused_with_the_nearest() -> None:
    with pytest.raises(PodiumError, match=r"slices` in params.yaml names 'formt', but .* Did you mean 'format'\?"):
        slice_up(make_wrong(50), make_facts(50, format="PNG"), ["formt"])


def test_a_column_that_is_looked_at_anyway_is_looked_at_once() -> None:
    once, twice = (slice_up(make_wrong(100), make_facts(100), columns) for columns in ((), ["contrast", "contrast"]))
    pd.testing.assert_frame_equal(once[0], twice[0])


@pytest.mark.parametrize(
    "some",
    [
        make_sure([0.9, 0.8], [True, False]),
        make_sure([0.9], [True]),
        make_predictions([0] * 15, np.ones((15, 1))),
        make_wrong(2 * LEAST_IMAGES - 1),
    ],
    ids=["two images", "one image", "one class", "few images"],
)
def test_of_few_images_nothing_is_looked_at(some: Predictions) -> None:
    table, found = slice_up(some, make_facts(len(some)))
    assert [*table.columns] == COLUMNS
    assert len(table) == found.looked_at == found.worse == 0
    assert {name for name, _ in found.missing} == {"class", "size", "folder", *FACTS[2:]}


@pytest.mark.parametrize("right", [True, False])
def test_where_all_are_right_or_wrong_nothing_is_worse(right: bool) -> None:
    table, found = slice_up(make_sure(np.full(200, 0.8), [right] * 200, groups=np.arange(200) // 4), make_facts(200))
    assert found.worse == 0
    assert set(table["p_value"]) == {1.0}


def test_all_predictions_equal_calls_out_the_classes_that_are_never_predicted() -> None:
    some = make_predictions(np.arange(300) % 3, np.tile([0.5, 0.3, 0.2], (300, 1)))
    assert of(slice_up(some, make_facts(300)), "class")["worse"].tolist() == [False, True, True]


class Many:
    """What is looked at of predictions, without the gigabytes of probabilities."""

    def __init__(self, count: int, classes: int) -> None:
        self.ids, self.groups, self.labels = np.arange(count).astype(str), np.arange(count), np.arange(count) % classes
        self.classes = tuple(map(str, range(classes)))
        self.right = self.labels != 7

    def __len__(self) -> int:
        return len(self.labels)


def test_of_ten_thousand_classes_the_worst_are_shown_and_all_are_counted() -> None:
    some: Any = Many(110_000, 10_000)
    begin = time.process_time()
    found = slice_up(some, make_facts(110_000))
    assert time.process_time() - begin < 5
    classes = of(found, "class")
    assert len(classes) == SHOWN
    assert classes[classes["worse"]]["value"].tolist() == ["7"]
    assert found[1].looked_at == 10_000 + 3 * 4
    assert missing(found)["class"] == "the 50 that look worst of 10,000 values are listed; all were looked at"
