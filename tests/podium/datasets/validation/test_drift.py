import json
import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import psutil
import pytest

from podium.datasets.validation.drift import MAX_IDS_LISTED, Change, Drift, changes_table, compare, to_json
from tests.makers import peak_memory

MEASURES = ["labels", "brightness", "contrast", "sharpness", "colour", "height", "width", "aspect", "file size"]
Row = tuple[str, str, str, str]


def make_manifest(count: int, seed: int = 0, classes: int = 4) -> pd.DataFrame:
    """Make images that are all different, of classes of the same size."""
    rng = np.random.default_rng(seed)
    rows = np.arange(count)
    light, tone = rng.uniform(60, 190, count), rng.normal(0, 10, (3, count))
    return pd.DataFrame(
        {
            "id": [f"train/{seed}/{row:07}.jpg" for row in rows],
            "part": pd.Series("train", rows, dtype="str"),
            "label": [f"class {row % classes}" for row in rows],
            "brightness": light,
            "contrast": rng.uniform(20, 60, count),
            "sharpness": rng.lognormal(4, 1, count),
            **{name: light + tone[channel] for channel, name in enumerate(("red", "green", "blue"))},
            "height": rng.integers(100, 400, count),
            "width": rng.integers(100, 400, count),
            "bytes": rng.integers(5_000, 90_000, count),
            "sha256": [f"{seed:032x}{row:032x}" for row in rows],
            "fault": pd.Series(None, rows, dtype="str"),
            "left_out": pd.Series(None, rows, dtype="str"),
        }
    )


def make_rows(rows: list[Row]) -> pd.DataFrame:
    """Make a manifest of rows given as id, content, part, label."""
    columns = pd.DataFrame(rows, columns=["id", "sha256", "part", "label"], dtype="str")
    return make_manifest(len(rows)).assign(**{name: columns[name] for name in columns})


def shuffled(manifest: pd.DataFrame, seed: int = 5) -> pd.DataFrame:
    return manifest.sample(frac=1, random_state=seed)


def counts(drift: Drift) -> list[int]:
    return [len(table) for table in (drift.added, drift.removed, drift.relabelled, drift.moved_parts)]


def change(drift: Drift, measure: str) -> Change:
    return next(one for one in drift.changes if one.measure == measure)


def beyond(drift: Drift) -> list[str]:
    table = changes_table(drift)
    return table.loc[table["beyond_chance"] > 0, "measure"].tolist()


def with_copies(manifest: pd.DataFrame) -> pd.DataFrame:
    """Add copies of 20 images under other names, 10 with another label and 5 in another part."""
    copies = manifest.head(20).assign(id=[f"copies/{row}.jpg" for row in range(20)])
    copies.loc[copies.index[:10], "label"] = "class 3"
    copies.loc[copies.index[5:10], "part"] = "test"
    return pd.concat([manifest, copies], ignore_index=True)


@pytest.mark.parametrize(
    "other",
    [
        lambda manifest: manifest,
        shuffled,
        lambda manifest: manifest.assign(id=[f"new/{row}.jpg" for row in range(len(manifest))]),
        lambda manifest: manifest.assign(id=manifest["id"].to_numpy()[::-1]),
    ],
    ids=["same", "shuffled", "renamed", "names exchanged"],
)
def test_the_same_images_are_no_change(other: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    manifest = with_copies(make_manifest(400))
    drift = compare(manifest, other(manifest))
    assert drift.nothing
    assert counts(drift) == [0, 0, 0, 0]
    assert [one.measure for one in drift.changes] == MEASURES
    assert [one.moved for one in drift.changes] == [0.0] * 9
    assert [one.before for one in drift.changes] == [one.after for one in drift.changes]
    assert (drift.classes["lost"] == 0).all()
    assert drift.new_labels == drift.gone_labels == []


def test_planted_changes_are_counted_one_by_one_though_there_are_copies() -> None:
    before = with_copies(make_manifest(1000))
    after = before.copy()
    after.loc[100:106, "label"] = "class 9"
    after.loc[200:210, "part"] = "validation"
    after.loc[300:330, "id"] = [f"renamed/{row}.jpg" for row in range(31)]
    after.loc[400:402, "sha256"] = [f"saved anew {row}" for row in range(3)]
    after = pd.concat([after.drop(index=[*range(500, 513)]), make_manifest(17, seed=1)], ignore_index=True)
    drift = compare(before, shuffled(after))
    assert counts(drift) == [17 + 3, 13 + 3, 7, 11]
    assert drift.added["id"].tolist()[:4] == [*before["id"][400:403], "train/1/0000000.jpg"]
    assert drift.added.columns.tolist() == ["id", "part", "label", "sha256"]
    assert drift.removed["sha256"].tolist() == [*before["sha256"][400:403], *before["sha256"][500:513]]
    assert drift.relabelled["id"].tolist() == before["id"][100:107].tolist()
    assert drift.relabelled["before"].tolist() == before["label"][100:107].tolist()
    assert set(drift.relabelled["after"]) == {"class 9"}
    assert drift.moved_parts["sha256"].tolist() == before["sha256"][200:211].tolist()
    assert set(zip(drift.moved_parts["before"], drift.moved_parts["after"], strict=True)) == {("train", "validation")}
    assert drift.new_labels == ["class 9"]
    assert drift.gone_labels == compare(after, before).new_labels == []
    assert compare(after, before).gone_labels == ["class 9"]
    assert not drift.nothing


@pytest.mark.parametrize(
    ("before", "after", "added", "removed", "relabelled", "moved"),
    [
        pytest.param(
            *([("1", "x", "train", "a"), ("2", "x", "train", "a")], [("2", "x", "train", "a")]),
            *([], ["1"], [], []),
            id="of two copies, the one that is gone is named",
        ),
        pytest.param(
            *([("1", "x", "train", "a")], [("0", "x", "train", "b"), ("1", "x", "train", "a")]),
            *(["0"], [], [], []),
            id="a copy with another label is added, not relabelled",
        ),
        pytest.param(
            [("1", "x", "train", "a"), ("2", "x", "train", "b")],
            [("1", "x", "train", "b"), ("2", "x", "train", "a")],
            *([], [], [], []),
            id="copies exchange their names",
        ),
        pytest.param(
            [("1", "x", "train", "a"), ("2", "x", "test", "b")],
            [("1", "x", "train", "b"), ("2", "x", "test", "a")],
            *([], [], [], [("2", "train", "test"), ("1", "test", "train")]),
            id="copies with different labels exchange their parts",
        ),
        pytest.param(
            [("1", "x", "train", "a"), ("2", "x", "train", "a"), ("3", "x", "test", "a")],
            [("1", "x", "train", "a"), ("2", "x", "train", "c")],
            *([], ["3"], [("2", "a", "c")], []),
            id="a copy of the same part is relabelled rather than moved",
        ),
        pytest.param(
            [("1", "x", "train", "a"), ("2", "x", "test", "b")],
            [("1", "x", "test", "c"), ("2", "x", "train", "d")],
            *([], [], [("2", "a", "d"), ("1", "b", "c")], []),
            id="relabelled copies stay in their parts",
        ),
        pytest.param(
            *([("1", "x", "unlabelled", "")], [("2", "x", "train", "a")]),
            *([], [], [("2", "", "a")], [("2", "unlabelled", "train")]),
            id="an unlabelled image got a label",
        ),
    ],
)
def test_copies_are_paired_with_the_likest(
    before: list[Row],
    after: list[Row],
    added: list[str],
    removed: list[str],
    relabelled: list[Row],
    moved: list[Row],
) -> None:
    drift = compare(make_rows(before), make_rows(after))
    assert drift.added["id"].tolist() == added
    assert drift.removed["id"].tolist() == removed
    columns = ["id", "before", "after"]
    assert {*drift.relabelled[columns].itertuples(index=False, name=None)} == {*relabelled}
    assert {*drift.moved_parts[columns].itertuples(index=False, name=None)} == {*moved}
    assert drift.nothing is not any((added, removed, relabelled, moved))


def random_rows(rng: np.random.Generator) -> pd.DataFrame:
    count = rng.integers(0, 15)
    ids = rng.permutation(30)[:count]
    return make_rows([(f"{one:02}", *(str(rng.choice([*some])) for some in ("xyz", "pq", "abc"))) for one in ids])


@pytest.mark.parametrize("seed", range(30))
def test_lists_agree_with_counting(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before, after = random_rows(rng), random_rows(rng)
    if seed % 3 == 0:
        after = shuffled(before).assign(id=before["id"].to_numpy())
    drift, back = compare(before, after), compare(after, before)
    contents = [Counter(side["sha256"]) for side in (before, after)]
    labelled = [Counter(zip(side["sha256"], side["label"], strict=True)) for side in (before, after)]
    whole = [Counter(zip(side["sha256"], side["label"], side["part"], strict=True)) for side in (before, after)]
    assert Counter(drift.added["sha256"]) == contents[1] - contents[0]
    assert Counter(drift.removed["sha256"]) == contents[0] - contents[1]
    same = [(contents[0] & contents[1]).total(), (labelled[0] & labelled[1]).total()]
    assert len(drift.relabelled) == same[0] - same[1]
    assert (drift.relabelled["before"] != drift.relabelled["after"]).all()
    assert (drift.moved_parts["before"] != drift.moved_parts["after"]).all()
    assert drift.relabelled["id"].is_monotonic_increasing
    assert drift.moved_parts["id"].is_monotonic_increasing
    assert drift.nothing == (whole[0] == whole[1])
    pd.testing.assert_frame_equal(drift.added, back.removed)
    pd.testing.assert_frame_equal(drift.removed, back.added)
    assert Counter(zip(drift.relabelled["before"], drift.relabelled["after"], strict=True)) == Counter(
        zip(back.relabelled["after"], back.relabelled["before"], strict=True)
    )
    gained = drift.classes["after"].sum() - drift.classes["before"].sum()
    assert gained == len(after) - len(before) == len(drift.added) - len(drift.removed)
    assert to_json(compare(shuffled(before), shuffled(after))) == to_json(drift)


def test_a_class_that_lost_two_fifths_says_so() -> None:
    before = make_manifest(1000)
    lost = before.index[before["label"] == "class 2"][:100]
    test = make_manifest(60, seed=2).assign(part="test")
    hidden = make_manifest(50, seed=3).assign(part="unlabelled", label="")
    after = pd.concat([before.drop(index=lost), make_manifest(8, seed=4), test.head(40), hidden.head(1)])
    drift = compare(pd.concat([before, test, hidden]), after)
    rows = [tuple(row) for row in drift.classes.query("part == 'train'").itertuples(index=False)]
    assert rows == [
        ("train", "class 0", 250, 252, 0.0),
        ("train", "class 1", 250, 252, 0.0),
        ("train", "class 2", 250, 152, 0.392),
        ("train", "class 3", 250, 252, 0.0),
    ]
    assert compare(before, before.drop(index=lost)).classes["lost"].tolist() == [0.0, 0.0, 0.4, 0.0]
    assert drift.classes.query("part == 'test'")["lost"].tolist() == pytest.approx([1 / 3] * 4)
    assert [*drift.classes["part"].unique()] == ["test", "train"]
    assert len(drift.removed) == 100 + 20 + 49
    labels = change(compare(before, before.drop(index=lost)), "labels")
    assert (labels.before, labels.after) == (0.25, pytest.approx(150 / 900))
    assert labels.moved == pytest.approx(0.25 - 150 / 900)


def test_images_out_of_use_count_nowhere() -> None:
    before = make_manifest(100)
    after = before.copy()
    after.loc[0, ["fault", "sha256", "brightness", "height", "width"]] = ["it cannot be decoded", "", 0.0, 0, 0]
    after.loc[1, "left_out"] = "copy"
    drift = compare(before, after)
    assert drift.removed["id"].tolist() == before["id"].tolist()[:2]
    assert counts(drift) == [0, 2, 0, 0]
    assert drift.classes["after"].tolist() == [24, 24, 25, 25]
    assert change(drift, "height").after == before["height"][2:].mean()
    broken = before.assign(fault="it cannot be decoded", sha256="")
    assert counts(compare(broken, broken)) == [0, 0, 0, 0]
    assert compare(broken, broken).nothing


def test_images_without_a_label_are_compared_too() -> None:
    manifest = make_manifest(6)
    manifest.loc[:2, "label"] = None
    drift = compare(manifest, manifest)
    assert drift.nothing
    assert drift.classes["after"].tolist() == [3, 1, 1, 1]
    assert compare(manifest, make_manifest(6)).relabelled["before"].tolist() == ["", "", ""]


def stretched(manifest: pd.DataFrame, factor: float = 1.0, amount: float = 0.0) -> pd.DataFrame:
    """Change the light of every image: all its gray values times a factor, plus an amount."""
    seen = {name: manifest[name] * factor + amount for name in ("brightness", "red", "green", "blue")}
    return manifest.assign(contrast=manifest["contrast"] * factor, **seen)


def test_red_and_blue_exchanged_show_in_colour_alone() -> None:
    before = make_manifest(1000)
    before["red"] += 12
    after = before.assign(red=before["blue"], blue=before["red"])
    drift = compare(before, after)
    assert beyond(drift) == ["colour"]
    assert change(drift, "colour").moved > 0.3
    assert change(drift, "brightness").moved == 0


def test_a_tint_shows_in_colour_though_one_channel_alone_moved() -> None:
    before = make_manifest(1000)
    drift = compare(before, before.assign(blue=before["blue"] - 10))
    assert beyond(drift) == ["colour"]
    assert change(drift, "colour").after < change(drift, "colour").before - 0.1


@pytest.mark.parametrize(("factor", "amount"), [(1.0, -40.0), (0.6, 0.0), (1.2, 10.0)])
def test_other_light_shows_in_brightness_and_not_in_colour(factor: float, amount: float) -> None:
    before = make_manifest(1000).assign(red=lambda manifest: manifest["red"] + 12)
    drift = compare(before, stretched(before, factor, amount))
    assert change(drift, "brightness").moved > 0.2
    assert change(drift, "colour").moved < 0.01
    assert ("contrast" in beyond(drift)) == (factor != 1)


def test_rounding_is_no_colour() -> None:
    before = make_manifest(500).assign(**{name: lambda manifest: manifest["brightness"] for name in ("red", "green")})
    before["blue"] = before["brightness"]
    assert change(compare(before, before.assign(red=before["red"] + 0.01)), "colour").moved == 0


def test_a_number_moves_by_the_greatest_difference_of_the_shares_below_a_value() -> None:
    before, after = make_manifest(83, seed=1), make_manifest(120, seed=2)
    after["height"] += 60
    after.loc[:4, "sharpness"] = np.nan
    drift = compare(before, after)
    pairs = {name: (before[name], after[name].dropna()) for name in ("brightness", "height", "sharpness")}
    pairs["aspect"] = (before["width"] / before["height"], after["width"] / after["height"])
    pairs["file size"] = (before["bytes"], after["bytes"])
    for name, (old, new) in pairs.items():
        moved = max(abs((old <= value).mean() - (new <= value).mean()) for value in [*old, *new])
        assert change(drift, name).moved == pytest.approx(moved)
        assert change(drift, name).before == pytest.approx(old.mean())
        assert change(drift, name).after == pytest.approx(new.mean())
    assert change(drift, "colour").chance == pytest.approx(1.78843 * np.sqrt(203 / (83 * 120)), rel=1e-5)
    assert change(drift, "height").chance == pytest.approx(1.62762 * np.sqrt(203 / (83 * 120)), rel=1e-5)


def test_what_differs_by_chance_between_small_samples_is_not_beyond_it() -> None:
    drift = compare(make_manifest(30, seed=1), make_manifest(30, seed=2))
    assert max(one.moved for one in drift.changes) > 0.2
    assert beyond(drift) == []
    assert {one.chance for one in compare(make_manifest(2), make_manifest(2, seed=1)).changes} == {1.0}
    halves = change(compare(make_manifest(100, classes=2), make_manifest(100, classes=2)), "labels")
    assert halves.chance == pytest.approx((np.sqrt(2 / np.pi) + 2.32635) / 2 * np.sqrt(2 / 100), rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("old", "new", "classes"), [(30, 30, 2), (60, 200, 7), (300, 300, 40)])
@pytest.mark.parametrize(("count", "most_alarms"), [(25, 3), pytest.param(200, 6, marks=pytest.mark.soak)])
def test_small_samples_of_one_source_stay_within_chance(
    old: int, new: int, classes: int, count: int, most_alarms: int
) -> None:
    """One of a hundred is expected beyond it; more alarms than the most come by chance once in 200 times."""
    rng = np.random.default_rng(0)
    source = make_manifest(5000, classes=classes)
    draws = [
        (source.iloc[rng.integers(5000, size=old)], source.iloc[rng.integers(5000, size=new)]) for _ in range(count)
    ]
    tables = [changes_table(compare(*pair)).set_index("measure") for pair in draws]
    assert pd.concat([table["moved"] for table in tables]).max() > 0.1
    alarms = sum((table["beyond_chance"] > 0).astype(int) for table in tables)
    assert alarms.max() <= most_alarms, alarms
    for measure, most in (("labels", 1.5), ("brightness", 1.3), ("colour", 1.7)):
        seen = np.quantile([table.loc[measure, "moved"] for table in tables], 0.99)
        assert tables[0].loc[measure, "chance"] < most * seen  # no more careful than need be


def test_a_real_change_is_beyond_chance() -> None:
    before, after = make_manifest(400, seed=1), make_manifest(400, seed=2)
    assert beyond(compare(before, after)) == []
    after.loc[:99, "label"] = "class 0"
    after["sharpness"] *= 0.6
    drift = compare(before, after)
    assert beyond(drift) == ["labels", "sharpness"]
    table = changes_table(drift)
    assert table.columns.tolist() == ["measure", "before", "after", "moved", "chance", "beyond_chance"]
    assert table.loc[0, "beyond_chance"] == table.loc[0, "moved"] == pytest.approx(75 / 400)


def test_an_empty_version_is_compared_too() -> None:
    manifest = make_manifest(8)
    for empty in (manifest.iloc[:0], pd.DataFrame([], columns=manifest.columns)):
        born, gone, none = compare(empty, manifest), compare(manifest, empty), compare(empty, empty)
        assert counts(born) == [8, 0, 0, 0]
        assert counts(gone) == [0, 8, 0, 0]
        assert none.nothing
        assert born.new_labels == gone.gone_labels == sorted(set(manifest["label"]))
        assert gone.classes["lost"].tolist() == [1.0] * 4
        for drift in (born, gone, none):
            assert changes_table(drift)["beyond_chance"].tolist() == [0.0] * 9
            json.dumps(to_json(drift), allow_nan=False)
        assert to_json(born)["changes"][1]["before"] is None


def test_as_json_it_is_small_and_the_same_for_any_order_of_the_rows() -> None:
    before, after = make_manifest(500, seed=1), make_manifest(700, seed=2)
    after.loc[0, "label"] = "größer"
    content = to_json(compare(before, after))
    assert content["added"] == {"count": 700, "ids": after["id"].tolist()[:MAX_IDS_LISTED]}
    assert content["removed"]["count"] == 500
    assert content["nothing"] is False
    assert content["new_labels"] == ["größer"]
    assert content["classes"][0] == {"part": "train", "label": "class 0", "before": 125, "after": 174, "lost": 0.0}
    assert [row["measure"] for row in content["changes"]] == MEASURES
    assert content["changes"][0]["after"] == round(1 / 700, 6)
    text = json.dumps(content, allow_nan=False)
    assert len(text) < 10_000
    assert json.dumps(to_json(compare(shuffled(before), shuffled(after)))) == text


def extra_memory(count: int) -> tuple[int, list[int]]:
    """Give this process's peak in a comparison, in bytes beside the two manifests, and what that finds."""
    before = make_manifest(count)
    after = before.copy()
    after["sha256"] = after["sha256"].where(np.arange(count) % 2 == 0, "new" + after["sha256"])
    held = psutil.Process().memory_info().rss
    drift = compare(before, after)
    return peak_memory() - held, counts(drift)


@pytest.mark.slow
@pytest.mark.soak
def test_a_million_images_fit_in_memory() -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        memory, found = alone.submit(extra_memory, 1_000_000).result()
    assert found == [500_000, 500_000, 0, 0]
    assert memory < 1_500_000_000  # measured: 0.5e9 to 1.0e9
