"""`podium init`'s reading of random layouts, whose truth is known, and of the shapes of real datasets."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.podium.datasets.layouts.generator import make_layout
from tests.podium.datasets.layouts.judging import cases, judge_case, look

LAYOUTS = 500
SOAKED = 20_000
LEAST_READ = 0.65
"""Of random layouts: so that refusing all of them does not pass."""
CASES = 74
LEAST_CASES_READ = 52
"""Of the shapes of real datasets; the others have no right reading, or are rightly asked about."""


def count(seeds: range, folder: Path) -> Counter[str]:
    """Count what becomes of layouts; none may be wrong."""
    verdicts: Counter[str] = Counter()
    for seed in seeds:
        place = folder / str(seed)
        outcome = look(make_layout(seed, place), place / "raw")
        assert outcome.verdict != "wrong", outcome.text
        verdicts[outcome.verdict] += 1
        shutil.rmtree(place)
    return verdicts


def test_random_layouts_are_read_right_or_it_is_said_why_not(tmp_path: Path) -> None:
    verdicts = count(range(60), tmp_path)
    assert verdicts["read"] >= LEAST_READ * verdicts.total()


@pytest.mark.soak
def test_five_hundred_random_layouts_are_read_right_or_it_is_said_why_not(tmp_path: Path) -> None:
    verdicts = count(range(60, LAYOUTS), tmp_path)
    assert verdicts["read"] >= LEAST_READ * verdicts.total()


@pytest.mark.soak
@pytest.mark.parametrize("start", range(0, SOAKED, SOAKED // 8))
def test_twenty_thousand_random_layouts_are_read_right_or_it_is_said_why_not(tmp_path: Path, start: int) -> None:
    verdicts = count(range(LAYOUTS + start, LAYOUTS + start + SOAKED // 8), tmp_path)
    assert verdicts["read"] >= LEAST_READ * verdicts.total()


# the shapes of real datasets ------------------------------------------------------------------------------


def test_the_shapes_of_real_datasets_are_read_right_or_it_is_said_why_not(
    shared_data: Path, tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = {}
    for case in cases():
        place = tmp_path / case.name
        place.mkdir()
        shutil.copy(project / "params.yaml", place)
        monkeypatch.chdir(place)
        outcomes[case.name] = judge_case(case, place)
    assert {name: outcome.text for name, outcome in outcomes.items() if outcome.verdict == "wrong"} == {}
    assert len(outcomes) == CASES
    assert [outcome.verdict for outcome in outcomes.values()].count("read") >= LEAST_CASES_READ
