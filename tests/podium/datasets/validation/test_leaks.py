from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import ArchiveSplit, Dataset
from podium.config.recipes import load_params
from podium.datasets.formats import Example, read
from podium.datasets.validation.findings import Inspection
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.saving import save_inspection, summarise
from podium.datasets.validation.scan import build_manifest
from tests.makers import NO_REVIEW, REPOSITORY, make_dataset, make_validation

SIDE = 48
ARCHIVE = ArchiveSplit(kind="archive")
STRICT = make_validation(duplicate_distance=40, critical={"minimum_per_class": 1, "exact_duplicates": 0.0})
DATASET = make_dataset(split=ARCHIVE, validation=STRICT)


def draw(seed: int) -> np.ndarray:
    """A smooth image that is like no other."""
    noise = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 20, 230, cv2.NORM_MINMAX)[..., np.newaxis]


def brighter(image: np.ndarray) -> np.ndarray:
    return np.clip(image.astype(int) + 20, 0, 255).astype(np.uint8)


def make_examples(part: str = "train", count: int = 18, start: int = 0) -> list[Example]:
    return [Example(f"{part}/{n}", part, str(n % 3), draw(start + n)) for n in range(count)]


def everywhere() -> list[Example]:
    return [
        *make_examples("train"),
        *make_examples("validation", 6, 100),
        *make_examples("test", 9, 200),
    ]


def look(examples: list[Example], dataset: Dataset = DATASET) -> Inspection:
    return inspect_dataset("dots", dataset, build_manifest(examples), NO_REVIEW, None)


def failed(found: Inspection) -> list[tuple[str, str, list[str]]]:
    return [(one.level, one.expectation, one.examples) for one in found.failed]


def test_images_that_are_all_different_give_no_finding() -> None:
    found = look(everywhere())
    assert failed(found) == []
    assert found.leaks.empty
    assert found.conflicts.empty
    assert found.manifest["group"].tolist() == [*range(33)]


def test_a_test_image_with_the_bytes_of_one_in_train_is_critical_and_one_that_looks_like_it_a_warning() -> None:
    examples = everywhere()
    examples.append(Example("test/same", "test", "1", examples[4].image))
    examples.append(Example("test/alike", "test", "2", brighter(examples[5].image)))
    examples.append(Example("test/turned", "test", "0", np.ascontiguousarray(examples[6].image[:, ::-1])))
    found = look(examples)
    assert failed(found) == [
        (
            "critical",
            "no test or validation image is an exact duplicate of one used for training or selection",
            ["test/same (exact duplicate train/4)"],
        ),
        (
            "warning",
            "no test or validation image is a near-duplicate of one used for training or selection",
            ["test/alike (near duplicate train/5)", "test/turned (near duplicate train/6)"],
        ),
    ]
    assert found.leaks["twin"].tolist() == [4, 5, 6]
    assert found.leaks["exact"].tolist() == [True, False, False]
    assert found.leaks["flipped"].tolist() == [False, False, True]
    assert summarise(found)["leaks"] == {"exact": 1, "near": 2, "test_in_train": 3, "test": 12}


def test_a_twin_in_train_is_worse_than_one_in_validation() -> None:
    examples = everywhere()
    examples.append(Example("test/x", "test", "0", examples[0].image))
    examples.append(Example("validation/x", "validation", "0", brighter(examples[0].image)))
    leaks = look(examples).leaks.set_index("row")
    assert leaks.loc[33, ["split", "twin_split", "twin"]].tolist() == ["test", "train", 0]
    assert leaks.loc[34, ["split", "twin_split", "twin"]].tolist() == ["validation", "train", 0]


def test_duplicates_within_train_are_groups_and_no_leak() -> None:
    examples = everywhere()
    examples.append(Example("train/x", "train", "0", brighter(examples[0].image)))
    found = look(examples)
    assert failed(found) == []
    assert found.manifest["group"].iloc[-1] == 0


def test_a_flipped_label_in_a_group_is_found_with_its_twin() -> None:
    examples = everywhere()
    for n in range(3):  # the copies say 0, 1 and 1
        examples.append(Example(f"train/copy{n}", "train", str(min(n, 1)), brighter(examples[0].image) + np.uint8(n)))
    found = look(examples)
    assert [level for level, *_ in failed(found)] == ["warning"]
    named = {example.split(" ")[0] for example in failed(found)[0][2]}
    assert named == {"train/0", "train/copy0", "train/copy1", "train/copy2"}
    labels = found.manifest["label"].to_numpy()
    assert all(labels[one] != labels[two] for one, two in found.conflicts[["row", "twin"]].to_numpy())


def test_planted_flips_are_all_found_and_nothing_else() -> None:
    generator = np.random.default_rng(5)
    examples = make_examples("train", 150, 1000) + make_examples("validation", 6, 100) + make_examples("test", 6, 200)
    twins = [
        Example(f"train/twin{n}", "train", examples[n].label, brighter(examples[n].image)) for n in range(0, 150, 2)
    ]
    flipped = set(generator.choice(len(twins), 12, replace=False).tolist())
    twins = [
        Example(e.id, e.part, str((int(e.label) + 1) % 3), e.image) if n in flipped else e for n, e in enumerate(twins)
    ]
    found = look([*examples, *twins])
    rows = {row for row in found.conflicts["row"] if row >= len(examples)}
    assert {row - len(examples) for row in rows} == flipped


def test_what_was_left_out_is_no_leak() -> None:
    examples = everywhere()
    examples.append(Example("test/same", "test", "1", examples[4].image))
    seen = build_manifest(examples)
    review = pd.DataFrame([("test/same", seen["sha256"].iloc[-1], "leave_out", "", 2)], columns=NO_REVIEW.columns)
    found = inspect_dataset("dots", DATASET, seen, review, None)
    assert found.verdict == "passed"
    assert found.leaks.empty


def test_a_share_of_leaks_may_be_allowed() -> None:
    examples = everywhere()
    examples.append(Example("test/alike", "test", "2", brighter(examples[5].image)))
    for share, verdict in ((0.07, "passed"), (0.05, "passed with warnings")):  # one of sixteen is 0.0625
        validation = make_validation(
            duplicate_distance=40, critical={"minimum_per_class": 1}, warning={"near_duplicates": share}
        )
        assert look(examples, make_dataset(split=ARCHIVE, validation=validation)).verdict == verdict


def test_where_there_is_nothing_to_tell_the_tables_have_their_heads_alone(tmp_path: Path) -> None:
    save_inspection(look(everywhere()), tmp_path / "found")
    for name in ("leaks", "conflicts", "duplicates", "quarantine"):
        assert (tmp_path / f"found/{name}.csv").read_text().count("\n") == 1


def test_the_tables_name_images(tmp_path: Path) -> None:
    examples = everywhere()
    examples.append(Example("test/same", "test", "1", examples[4].image))
    examples.append(Example("train/odd", "train", "0", examples[4].image))
    save_inspection(look(examples), tmp_path / "found")
    leaks = pd.read_csv(tmp_path / "found/leaks.csv")
    assert leaks.to_numpy().tolist() == [["test/same", "test", "train/4", "train", 0, False, True]]
    conflicts = pd.read_csv(tmp_path / "found/conflicts.csv", dtype={"label": "str", "twin_label": "str"})
    assert ["train/odd", "0", "train/4", "1"] in conflicts.iloc[:, :4].to_numpy().tolist()
    duplicates = pd.read_csv(tmp_path / "found/duplicates.csv")
    assert duplicates["id"].tolist() == ["train/4", "test/same", "train/odd"]
    assert duplicates["group"].nunique() == 1


def test_car_damage_has_the_leaks_that_are_known(shared_data: Path, tmp_path: Path) -> None:
    """Two photographs stand in both parts of this copy of the archive, byte for byte."""
    archive = shared_data / "kaggle/datasets/prajwalbhamere/car-damage-severity-dataset.zip"
    (tmp_path / "archive.zip").symlink_to(archive)
    dataset = load_params(REPOSITORY / "recipes/car_damage.yaml").dataset("car-damage")
    seen = build_manifest(read(tmp_path, dataset.format))
    found = inspect_dataset("car-damage", dataset, seen, NO_REVIEW, None)
    ids = seen["id"]
    exact = found.leaks[found.leaks["exact"]]
    assert {(ids[row.row], ids[row.twin]) for row in exact.itertuples()} == {
        ("data3a/validation/01-minor/0237.JPEG", "data3a/training/01-minor/0048.JPEG"),
        ("data3a/validation/02-moderate/0204.JPEG", "data3a/training/02-moderate/0055.JPEG"),
    }
    assert seen["sha256"].nunique() == 979 - 10
    assert len(found.leaks) < 10, "photographs of other cars are no leaks"
    print(found.leaks.assign(id=ids[found.leaks["row"]].to_numpy()).to_string())


@pytest.mark.parametrize("count", [0, 1])
def test_a_dataset_of_hardly_any_images_fails_and_does_not_break(count: int) -> None:
    found = look(make_examples("train", count))
    assert found.verdict == "failed"
