"""How long a run will take: from earlier runs, from a quick timing on a page like the shipped one, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from flows.estimate import RECORD, SHIPPED_SECONDS, Durations, estimate, roughly, time_machine
from podium.config import Params, load_params
from podium.workspace.graph import Stage
from tests.makers import REPOSITORY, make_page, make_rows, make_table, save_page


def stage(kind: str, entry: str) -> Stage:
    return Stage(f"{kind}@{entry}", "", ())


@pytest.fixture
def shipped(project: Path) -> Params:
    return load_params(project / "params.yaml")


@pytest.fixture
def other(project: Path) -> dict[str, Any]:
    return make_page(project, make_table(make_rows(6)))


def every(page: Params) -> list[Stage]:
    datasets = [stage(kind, name) for name in page.datasets for kind in ("download", "validate", "preprocess")]
    return datasets + [
        stage(kind, name) for name in page.candidates for kind in ("train", "evaluate", "confusion_matrix")
    ]


def test_the_shipped_page_is_estimated_where_nothing_ran_yet(
    project: Path, shipped: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.estimate.time_machine", lambda: 0.08)
    seconds = estimate(every(shipped), shipped, Durations(project, shipped))
    assert isinstance(seconds, float)
    assert 90 < seconds < 150
    monkeypatch.setattr("flows.estimate.time_machine", lambda: 0.16)
    assert estimate(every(shipped), shipped, Durations(project, shipped)) == pytest.approx(2 * seconds)


def test_what_a_stage_took_here_counts_more_and_needs_no_timing(
    project: Path, shipped: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("flows.estimate.time_machine")
    durations = Durations(project, shipped)
    for one in every(shipped):
        durations.keep(one.name, 100.0)
    seconds = estimate(every(shipped), shipped, Durations(project, shipped))
    assert isinstance(seconds, float)
    assert 900 <= seconds < 1000


def test_a_stage_whose_entries_changed_is_another_one(project: Path, other: dict[str, Any]) -> None:
    before = load_params(project / "params.yaml")
    Durations(project, before).keep("train@dots-dense", 12.3)
    Durations(project, before).keep("validate@dots", 4.5)
    assert Durations(project, before).of("train@dots-dense") == 12.3
    other["schedules"]["short"]["phases"][0]["epochs"] += 1
    save_page(project, other)
    after = Durations(project, load_params(project / "params.yaml"))
    assert (after.of("train@dots-dense"), after.of("validate@dots")) == (None, 4.5)


@pytest.mark.parametrize("record", ["", "[]", "{}"])
def test_a_record_that_is_not_there_or_is_broken_is_no_obstacle(project: Path, shipped: Params, record: str) -> None:
    durations = Durations(project, shipped)
    if record:
        (project / RECORD).parent.mkdir(parents=True)
        (project / RECORD).write_text(record)
    assert durations.of("train@digits-cnn") is None
    durations.keep("train@digits-cnn", 12.345)
    assert durations.of("train@digits-cnn") == 12.35 or durations.of("train@digits-cnn") == 12.34


@pytest.mark.parametrize("recipe", sorted(path.stem for path in (REPOSITORY / "recipes").glob("*.yaml")))
def test_a_dataset_that_has_to_be_fetched_has_no_estimate(project: Path, recipe: str) -> None:
    page = load_params(REPOSITORY / f"recipes/{recipe}.yaml")
    said = estimate(every(page), page, Durations(project, page))
    assert (said == f"the dataset '{next(iter(page.datasets))}' has to be fetched first") == (recipe != "digits")


def test_a_training_that_never_ran_here_has_no_estimate(project: Path, shipped: Params, other: dict[str, Any]) -> None:
    del shipped
    page = load_params(project / "params.yaml")
    said = estimate([stage("train", "dots-dense")], page, Durations(project, page))
    assert said == "train@dots-dense has not run here yet as it is on the page"
    assert (
        estimate([stage("added", "")], page, Durations(project, page))
        == "added@ has not run here yet as it is on the page"
    )


def test_a_large_network_on_the_digits_has_no_estimate(project: Path, shipped: Params) -> None:
    text = (project / "params.yaml").read_text()
    cnn = "kind: cnn\n"
    assert text.count(cnn) == 1
    (project / "params.yaml").write_text(text.replace(cnn, "kind: cnn_dropout\n      units:\n        - 4096\n"))
    page = load_params(project / "params.yaml")
    said = estimate(every(page), page, Durations(project, page))
    assert said == "train@digits-cnn has not run here yet as it is on the page"


def test_the_timing_is_quick_and_every_stage_has_its_seconds(shipped: Params) -> None:
    assert 0.01 < time_machine() < 3
    assert SHIPPED_SECONDS.keys() == {one.kind for one in every(shipped)}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2, "10 seconds"),
        (44, "40 seconds"),
        (89, "90 seconds"),
        (91, "2 minutes"),
        (3601, "60 minutes"),
        (8000, "2 hours"),
    ],
)
def test_times_are_rough(seconds: float, text: str) -> None:
    assert roughly(seconds) == text
