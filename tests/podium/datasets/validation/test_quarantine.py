import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import Dataset, StratifiedSplit
from podium.datasets.formats import Example
from podium.datasets.validation.findings import Inspection
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.quarantine import leave_out, left_out_shares, load_review
from podium.datasets.validation.saving import save_inspection
from podium.datasets.validation.scan import build_manifest
from podium.errors import PodiumError
from tests.makers import NO_REVIEW, make_dataset, make_images, make_review, make_validation

DATASET = make_dataset()
TOLERANT = make_dataset(validation=make_validation(quarantine=0.4))


def make_examples(count: int = 24) -> list[Example]:
    images, labels = make_images(count)
    return [
        Example(f"p{row}", "train", str(label), image)
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def broken(example: Example) -> Example:
    return Example(example.id, example.part, example.label, None, "cut short")


def look(examples: list[Example], dataset: Dataset, review: pd.DataFrame = NO_REVIEW) -> Inspection:
    return inspect_dataset("dots", dataset, build_manifest(examples), review, None)


def decide(examples: list[Example], **decisions: str) -> pd.DataFrame:
    """Decide about images by their ids, as a line of the reviewed file does."""
    seen = build_manifest(examples).set_index("id")
    rows = [(id_, seen.loc[id_, "sha256"], how, "", 2 + n) for n, (id_, how) in enumerate(decisions.items())]
    return pd.DataFrame(rows, columns=NO_REVIEW.columns)


def test_without_a_quarantine_an_image_that_cannot_be_used_stops_the_pipeline() -> None:
    first, *others = make_examples()
    found = look([broken(first), *others], DATASET)
    assert found.verdict == "failed"
    assert found.manifest["left_out"].isna().all()
    assert [one.expectation for one in found.failed] == ["every image can be decoded in full"]


def test_within_its_budget_the_quarantine_leaves_images_out_with_a_reason() -> None:
    first, *others = make_examples()
    found = look([broken(first), *others], TOLERANT)
    assert found.verdict == "passed with warnings"
    assert found.manifest["left_out"].dropna().to_dict() == {0: "unreadable"}
    assert found.splits[0] == "quarantined"
    assert (found.splits == "quarantined").sum() == 1
    assert [one.expectation for one in found.failed] == ["every image can be decoded in full"]


def test_over_the_budget_of_a_class_the_dataset_fails() -> None:
    examples = [broken(e) if e.label == "1" and int(e.id[1:]) < 12 else e for e in make_examples()]
    found = look(examples, TOLERANT)  # four of the eight
    assert found.verdict == "failed"
    (critical,) = [one for one in found.failed if one.level == "critical"]
    assert critical.expectation == "at most 0.4 of each class is left out"
    assert critical.examples == ["right (share 0.5)"]


def test_images_of_no_known_class_are_a_share_of_all() -> None:
    examples = [Example("x", "train", "", None, "cut short"), *make_examples()]
    manifest = look(examples, TOLERANT).manifest
    shares = left_out_shares(manifest, TOLERANT).set_index("class")["share"]
    assert shares["no known class"] == pytest.approx(1 / 25)
    assert shares["left"] == 0


def test_an_image_outside_a_critical_range_is_left_out_with_the_name_of_the_limit() -> None:
    first, second, *others = make_examples()
    dark = Example(first.id, first.part, first.label, np.full((4, 4, 1), 3, np.uint8))
    wide = Example(second.id, second.part, second.label, np.tile(second.image, (1, 9, 1)))
    strict = make_validation(quarantine=0.4, critical={"brightness": [10, 250], "aspect": [0.5, 2.0], "height": [4, 4]})
    manifest = look([dark, wide, *others], make_dataset(validation=strict)).manifest
    assert manifest["left_out"].dropna().to_dict() == {0: "brightness", 1: "aspect"}
    stern = make_validation(critical={"brightness": [10, 250]})
    found = look([dark, second, *others], make_dataset(validation=stern))
    assert found.verdict == "failed"
    assert found.failed[0].examples == ["p0 (brightness 3)"]


def test_people_decide() -> None:
    first, second, *others = make_examples()
    dark = Example(first.id, first.part, first.label, np.full((4, 4, 1), 3, np.uint8))
    examples = [dark, second, *others]
    validation = make_validation(quarantine=0.4, critical={"brightness": [10, 250]})
    review = decide(examples, p0="keep", p1="leave_out")
    found = look(examples, make_dataset(validation=validation), review)
    assert found.manifest["left_out"].dropna().to_dict() == {1: "reviewed"}
    found = look(make_examples(), DATASET, decide(make_examples(), p5="leave_out"))  # no quarantine is needed for it
    assert found.manifest["left_out"].dropna().to_dict() == {5: "reviewed"}
    assert found.verdict == "passed"


def test_a_decision_is_about_the_image_with_these_bytes() -> None:
    examples = make_examples()
    review = decide(examples, p5="leave_out")
    examples[5] = Example("p5", "train", examples[5].label, examples[5].image[::-1].copy())
    found = look(examples, DATASET, review)
    assert found.manifest["left_out"].isna().all()
    (stale,) = found.failed
    assert (stale.level, stale.examples) == ("warning", ["p5 (line 2)"])


def test_what_cannot_be_used_cannot_be_kept() -> None:
    first, *others = make_examples()
    examples = [broken(first), *others]
    with pytest.raises(PodiumError, match="says to keep p0, which cannot be used"):
        leave_out(build_manifest(examples), TOLERANT, decide(examples, p0="keep"))


def test_the_written_lines_bring_about_what_they_say(tmp_path: Path) -> None:
    """Copied into the reviewed file, the lines of quarantine.csv leave the same images out, whatever their ids."""
    first, *others = make_examples()
    odd = Example('a,"b"\n🙂.png', first.part, first.label, np.full((4, 4, 1), 3, np.uint8))
    validation = make_validation(quarantine=0.4, critical={"brightness": [10, 250]})
    found = look([odd, *others], make_dataset(validation=validation))
    save_inspection(found, tmp_path / "found")
    (tmp_path / "review.csv").write_text((tmp_path / "found/quarantine.csv").read_text(encoding="utf-8"))
    review = load_review(tmp_path / "review.csv", "dots")
    assert review["note"].tolist() == ["brightness"]
    manifest = look([odd, *others], DATASET, review).manifest
    assert manifest["left_out"].dropna().to_dict() == {0: "reviewed"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("id,decision\n", "has the columns id, decision. Expected dataset, id, sha256, decision, note"),
        ("dots,a,00,leave out,\n", "line 2: the decision is 'leave out'. Did you mean 'leave_out'"),
        ("dots,a,00,keep,as it is, and good\n", "line 2 has more than 5 values"),
        ("dots,a,00,keep,\ndots,b,01,keep,\ndots,a,00,leave_out,\n", "line 4: there is a decision about a already"),
    ],
)
def test_a_reviewed_file_with_a_mistake_names_it(tmp_path: Path, text: str, words: str) -> None:
    make_review(tmp_path, *text.splitlines())
    path = tmp_path / "data/review.csv"
    if not text.startswith("dots"):
        path.write_text(text)
    with pytest.raises(PodiumError) as raised:
        load_review(path, "dots")
    assert words in str(raised.value)
    assert str(path) in str(raised.value)


def test_lines_of_other_datasets_are_nobodys_business(tmp_path: Path) -> None:
    make_review(tmp_path, "cats,a,00,what?,", "dots,b,01,keep,fine")
    review = load_review(tmp_path / "data/review.csv", "dots")
    assert review.to_numpy().tolist() == [["b", "01", "keep", "fine", 3]]


def test_every_broken_image_of_the_test_data_is_left_out_with_its_reason(shared_data: Path) -> None:
    with (shared_data / "broken/oracle.csv").open(encoding="utf-8") as file:
        oracle = {row["file"]: row["expected"] for row in csv.DictReader(file) if row["kind"] == "image"}
    good = (shared_data / "broken" / next(name for name, expected in oracle.items() if expected == "ok")).read_bytes()
    examples = [
        *(
            Example(name, "train", str(n % 3), (shared_data / "broken" / name).read_bytes())
            for n, name in enumerate(oracle)
        ),
        *(Example(f"good-{n}.jpg", "train", str(n % 3), good + bytes([n])) for n in range(90)),
    ]
    tolerant = make_validation(quarantine=0.5, duplicate_distance=8)
    split = StratifiedSplit(kind="stratified", validation=0.2, test=0.2, seed=0)
    found = look(examples, make_dataset(validation=tolerant, split=split))
    told = found.manifest.set_index("id").loc[[*oracle]]
    verdicts = {
        name: "reject" if row["left_out"] == "unreadable" else "ok" if pd.isna(row["notice"]) else "warn"
        for name, row in told.iterrows()
    }
    assert verdicts == oracle
    assert len({*verdicts.values()}) == 3
    assert told["fault"].notna().equals(told["left_out"].notna())


def test_a_reviewed_file_that_is_gone_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match="its only line at first is `dataset,id,sha256,decision,note`"):
        load_review(tmp_path / "review.csv", "dots")
