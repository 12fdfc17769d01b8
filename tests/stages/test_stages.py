import hashlib
import json
import logging
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from podium.datasets.arrays import SPLITS, load_classes, open_split
from podium.errors import PodiumError
from podium.files import file_digest
from stages import confusion_matrix, download, preprocess, validate
from tests.makers import ARCHIVE_SPLIT, CLASSES, make_arrays, make_page, make_rows, make_table, save_page
from tests.reports import make_report

pytestmark = pytest.mark.slow

ROWS = make_rows(30)
ONE_COLOUR = ["0", *["9"] * 16]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def prepare(project: Path, rows: list[list[str]] = ROWS) -> None:
    make_page(project, make_table(rows))
    download.main("dots")


def test_download_packs_what_was_delivered_and_replaces_what_was_there(project: Path) -> None:
    (project / "data/raw/dots").mkdir(parents=True)
    (project / "data/raw/dots/old.zip").write_text("old")
    prepare(project)
    assert files(project / "data") == ["additions.csv", "raw/dots.json", "raw/dots/archive.zip", "review.csv"]


def test_a_download_that_fails_leaves_what_was_there(project: Path) -> None:
    prepare(project)
    before = (project / "data/raw/dots/archive.zip").read_bytes()
    page = make_page(project, "label\n")
    page["datasets"]["dots"]["source"]["sha256"] = "0" * 64
    save_page(project, page)
    with pytest.raises(PodiumError, match="its sha256 is"):
        download.main("dots")
    assert files(project / "data") == ["additions.csv", "raw/dots.json", "raw/dots/archive.zip", "review.csv"]
    assert (project / "data/raw/dots/archive.zip").read_bytes() == before


def test_validate_writes_the_manifest_and_what_it_found(project: Path) -> None:
    prepare(project)
    validate.main("dots")
    assert files(project / "data/manifests") == ["dots.parquet"]
    assert files(project / "reports") == [
        f"dots/validation/{name}"
        for name in (
            *("class_counts.csv", "conflicts.csv", "drift.json", "duplicates.csv", "findings.json", "index.html"),
            "inventory.csv",
            *("leaks.csv", "quarantine.csv", "suite.json", "summary.json"),
        )
    ]
    summary = json.loads((project / "reports/dots/validation/summary.json").read_text())
    assert (summary["images"], summary["failed_critical"], summary["failed_warning"]) == (30, 0, 0)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([*ROWS, ["7", *ROWS[0][1:]], ["8", *ROWS[0][1:]]], r"train\.csv:32 \(label 7\); train\.csv:33 \(label 8\)"),
        ([*ROWS[:5], ["0", "256", *ROWS[0][2:]], *ROWS], r"train\.csv:7 \(fault pixel1 is '256', expected a whole"),
        ([row for row in ROWS if row[0] != "1"], r"right in train \(count 0\)"),
        ([row for row in ROWS if row[0] != "1"] + ROWS[1:2], r"right in train \(count 1\)"),
    ],
    ids=["unknown label", "bad pixel", "empty class", "too few"],
)
def test_bad_data_stops_at_validate_and_corrected_data_passes(project: Path, rows: list[list[str]], words: str) -> None:
    prepare(project, rows)
    with pytest.raises(PodiumError, match=words) as raised:
        validate.main("dots")
    assert "for the dataset 'dots'" in str(raised.value)
    assert "reports/dots/validation/index.html" in str(raised.value)
    assert files(project / "data") == ["additions.csv", "raw/dots.json", "raw/dots/archive.zip", "review.csv"]
    findings = json.loads((project / "reports/dots/validation/findings.json").read_text())
    assert any(one["level"] == "critical" and not one["success"] for one in findings)
    prepare(project)
    validate.main("dots")
    assert "manifests/dots.parquet" in files(project / "data")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([*ROWS, *ROWS[:1] * 20], "at most 2 times the images of the smallest, in 1 rows: train (imbalance 3)"),
        ([*ROWS, ONE_COLOUR], "no image is of a single colour, in 1 rows: train.csv:32"),
    ],
)
def test_what_is_only_odd_is_a_warning(
    project: Path, caplog: pytest.LogCaptureFixture, rows: list[list[str]], words: str
) -> None:
    prepare(project, rows)
    validate.main("dots")
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert words in warnings[0]
    assert "manifests/dots.parquet" in files(project / "data")


def accept(project: Path, digest: str | None = None) -> None:
    """Name the manifest that is there, or another one, as the accepted version; a class may lose a fifth."""
    accepted = project / "data/accepted/dots.parquet"
    accepted.parent.mkdir(exist_ok=True)
    shutil.copy(project / "data/manifests/dots.parquet", accepted)
    page = yaml.safe_load((project / "params.yaml").read_text())
    validation = page["datasets"]["dots"]["validation"]
    validation["accepted"] = digest or file_digest(accepted)
    validation["critical"]["lost_per_class"] = 0.2
    save_page(project, page)


def test_a_class_that_lost_images_since_the_accepted_version_stops_at_validate(project: Path) -> None:
    prepare(project)
    validate.main("dots")
    accept(project)
    validate.main("dots")
    drift = json.loads((project / "reports/dots/validation/drift.json").read_text())
    assert (drift["added"]["count"], drift["removed"]["count"]) == (0, 0)
    shutil.rmtree(project / "data/raw")
    (project / "incoming/train.csv").write_text(make_table([row for row in ROWS if row[0] != "2"] + ROWS[2:20:3]))
    download.main("dots")
    with pytest.raises(PodiumError, match=r"since the accepted version, in 1 rows: both in train.*\(lost 0\.4\)"):
        validate.main("dots")
    drift = json.loads((project / "reports/dots/validation/drift.json").read_text())
    assert (drift["added"]["count"], drift["removed"]["count"]) == (0, 4)


def test_an_accepted_version_that_is_not_here_or_another_is_answered_with_the_command(project: Path) -> None:
    prepare(project)
    validate.main("dots")
    accept(project, digest="0" * 64)
    with pytest.raises(PodiumError, match=r"its sha256 is [0-9a-f]{64}, and the page names 0000"):
        validate.main("dots")
    (project / "data/accepted/dots.parquet").unlink()
    with pytest.raises(PodiumError, match=r"it is not here.*`dvc checkout data/accepted/dots\.parquet\.dvc`"):
        validate.main("dots")


def test_preprocess_writes_the_same_arrays_twice(project: Path) -> None:
    prepare(project)
    validate.main("dots")
    processed, metadata = project / "data/processed/dots", project / "reports/dots/croissant.json"
    contents, described = [], []
    for _ in range(2):
        preprocess.main("dots")
        contents.append({name: (processed / name).read_bytes() for name in files(processed)})
        described.append(metadata.read_bytes())
    assert contents[0] == contents[1]
    assert described[0] == described[1]
    assert {"splits/name": "train", "splits/url": "cr:TrainingSplit", "splits/images": 14} in [
        record for each in json.loads(described[0])["recordSet"] for record in each.get("data", [])
    ]
    assert sorted(contents[0]) == sorted(
        ["classes.json", "split.csv", *(f"{s}/{name}.npy" for s in SPLITS for name in ("images", "labels", "ids"))]
    )
    splits = {name: open_split(processed / name) for name in SPLITS}
    assert [len(split) for split in splits.values()] == [14, 8, 8]
    assert load_classes(processed) == [*CLASSES.values()]
    for split in splits.values():
        for image, label, name in zip(split.images, split.labels, split.ids, strict=True):
            row = ROWS[int(name.removeprefix("train.csv:")) - 2]
            assert str(label) == row[0]
            np.testing.assert_array_equal(image.ravel(), np.array(row[1:], np.uint8))


def read_split(project: Path, rows: list[list[str]], seed: int = 0) -> pd.DataFrame:
    """Take the rows through the stages with a sticky split; give the split manifest by digest."""
    accepted = project / "data/accepted/dots.parquet"
    page = make_page(project, make_table(rows))
    page["datasets"]["dots"]["split"] = {"kind": "hashed", "validation": 0.2, "test": 0.2, "seed": seed}
    if accepted.is_file():
        page["datasets"]["dots"]["validation"]["accepted"] = file_digest(accepted)
    save_page(project, page)
    shutil.rmtree(project / "data/raw", ignore_errors=True)
    for stage in (download, validate, preprocess):
        stage.main("dots")
    return pd.read_csv(project / "data/processed/dots/split.csv").set_index("sha256")


def test_a_sticky_split_keeps_images_where_they_are_when_the_dataset_changes(project: Path) -> None:
    rows = make_rows(150)
    before = read_split(project, rows[:120])
    after = read_split(project, [*rows[140:], *rows[100:30:-1], *rows[120:130]])
    both = before.index.intersection(after.index)
    assert len(both) == 70
    assert after.loc[both, "split"].equals(before.loc[both, "split"])
    shutil.copytree(project / "data/manifests", project / "data/accepted")
    again = read_split(project, rows, seed=1)
    assert again.loc[after.index, "split"].equals(after["split"]), "another seed moves no image of the accepted version"
    others = again.loc[before.index.difference(after.index), "split"]
    assert not others.equals(before.loc[others.index, "split"])


def test_accepting_a_version_changes_nothing_that_is_made_of_it(project: Path) -> None:
    rows, processed = make_rows(120), project / "data/processed/dots"
    read_split(project, rows)
    before = {name: (processed / name).read_bytes() for name in files(processed)}
    shutil.copytree(project / "data/manifests", project / "data/accepted")
    read_split(project, rows)
    assert {name: (processed / name).read_bytes() for name in files(processed)} == before


def test_the_split_manifest_tells_by_content_what_a_model_has_seen(project: Path) -> None:
    """The contract of data/processed/<dataset>/split.csv; MLflow keeps it with each run, as lineage/split.csv."""
    table = read_split(project, make_rows(120)).reset_index()
    assert sorted(table.columns) == ["id", "reason", "sha256", "split"]
    assert table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    for split in SPLITS:
        arrays = open_split(project / "data/processed/dots" / split)
        assert table.loc[table["split"] == split, "id"].tolist() == arrays.ids.tolist()
    first = np.array(make_rows(120)[0][1:], np.uint8)
    assert table["sha256"][0] == hashlib.sha256(first.tobytes()).hexdigest()


def test_a_split_that_cannot_be_made_is_found_by_validate(project: Path) -> None:
    page = make_page(project, make_table(ROWS), make_table(ROWS[:6]))
    page["datasets"]["dots"]["split"] = asdict(ARCHIVE_SPLIT)
    save_page(project, page)
    download.main("dots")
    with pytest.raises(PodiumError, match="test part has 6 images; 6 of them cannot become"):
        validate.main("dots")
    page["datasets"]["dots"]["split"] = {"kind": "archive"}
    save_page(project, page)
    with pytest.raises(PodiumError, match="no validation part"):
        validate.main("dots")
    assert not (project / "data/manifests").exists()


SHOWN = ("confusion_matrix.csv", "confusion_matrix_normalised.csv", "confusions.csv", "confusion_matrix.svg")
SHOWN += ("confusion_matrix.png", "gallery.png", "learning_curves.png", "results.png", "model_card.md", "index.html")


def test_confusion_matrix_shows_the_test_split_in_the_same_bytes_every_time(project: Path) -> None:
    page = make_page(project, make_table(ROWS))
    page["datasets"]["dots"]["classes"] = {"0": "NA", "1": "007", "2": "both"}
    save_page(project, page)
    reports, processed = project / "reports/dots/dots-dense", project / "data/processed/dots"
    make_arrays(processed, 24)
    (processed / "split.csv").write_text("id,sha256,split,reason\n")
    made = make_report(
        reports, classes=("NA", "007", "both"), splits={name: open_split(processed / name) for name in SPLITS}
    )
    history = project / "models/dots-dense/history.csv"
    history.parent.mkdir(parents=True)
    history.write_text("step,phase,loss,accuracy,validation_loss,validation_accuracy\n1,fit,0.5,0.5,0.5,0.5\n")
    given, contents = files(reports), []
    for _ in range(2):
        confusion_matrix.main("dots-dense")
        contents.append({name: (reports / name).read_bytes() for name in SHOWN})
    assert contents[0] == contents[1]
    assert files(reports) == sorted([*given, *SHOWN])
    test = made.predictions["test"]
    table = pd.read_csv(reports / "confusion_matrix.csv", index_col=0, keep_default_na=False)
    assert [*table.columns] == [*table.index] == ["NA", "007", "both"]
    expected = [[int(((test.labels == one) & (test.predicted == two)).sum()) for two in range(3)] for one in range(3)]
    assert table.to_numpy().tolist() == expected
    plotted = pd.read_csv(reports / "confusions.csv", dtype=str, keep_default_na=False)
    assert plotted.groupby(["actual", "predicted"]).size().get(("NA", "NA"), 0) == expected[0][0]
    assert contents[0]["confusion_matrix.png"].startswith(b"\x89PNG")
    text = contents[0]["index.html"].decode()
    assert "schedule.phases.0.learning_rate" in text
    assert file_digest(processed / "split.csv") in text


def test_confusion_matrix_of_a_candidate_that_is_not_evaluated_names_the_command(project: Path) -> None:
    make_page(project, make_table(ROWS))
    with pytest.raises(PodiumError, match=r"There is no .*predictions\.parquet.*`dvc repro`"):
        confusion_matrix.main("dots-dense")
