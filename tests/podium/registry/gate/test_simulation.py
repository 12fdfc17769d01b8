"""The promises of the gate, by simulation; the long version is `python -m bench gate`, and `make soak`."""

import numpy as np
import pytest

from bench.gate_simulation import (
    BETTER,
    CLASSES,
    EQUAL,
    ERROR,
    HARMS,
    MARGIN,
    NIGHTS,
    OF_CLASS,
    Case,
    mid_p,
    replace_by_smaller,
    share_of_images,
    simulate,
    veto,
)
from podium.config.gates import Gate
from podium.evaluation.paired import turn_signs
from podium.registry.gate import decide
from podium.registry.gate.harm import find_harms
from tests.podium.registry.gate.making import context, of_hits, pairs

pytestmark = pytest.mark.slow

PROMISED = [case for case in (*EQUAL, *NIGHTS, *BETTER) if case.most is not None or case.least is not None]


def is_kept(share: float, times: int, most: float | None, least: float | None) -> bool:
    """Whether a share is as promised, but for three standard errors of the simulation."""
    if most is not None:
        return share <= most + 3 * float(np.sqrt(most * (1 - most) / times))
    assert least is not None
    return share >= least - 3 * float(np.sqrt(least * (1 - least) / times))


@pytest.mark.parametrize("case", PROMISED, ids=lambda case: case.what)
def test_noise_is_promoted_no_more_often_than_promised_and_what_is_better_is_promoted(case: Case) -> None:
    times = 60 if case.nights * case.candidates * case.epochs > 1000 else 300
    ours, theirs = simulate(case, times)
    assert is_kept(ours.mean(), times, case.most, case.least)
    assert theirs.mean() > 0.3, "the higher accuracy wins by noise"


@pytest.mark.soak
@pytest.mark.parametrize("case", PROMISED, ids=lambda case: case.what)
def test_in_many_rounds_too(case: Case) -> None:
    times = int(5000 * case.effort)
    assert is_kept(simulate(case, times, seed=1)[0].mean(), times, case.most, case.least)


@pytest.mark.parametrize(("what", "worse_by", "most", "least"), HARMS, ids=lambda one: str(one))
def test_harm_is_vetoed_and_noise_is_not(what: str, worse_by: float, most: float | None, least: float | None) -> None:
    assert is_kept(veto(worse_by, 2000).mean(), 2000, most, least), what


def test_what_is_worse_by_the_margin_is_no_more_often_promoted_than_noise() -> None:
    assert is_kept(replace_by_smaller(-MARGIN, 3000)[0].mean(), 3000, ERROR, None)
    assert replace_by_smaller(0.0, 500)[0].mean() > 0.35


@pytest.mark.parametrize("broken", [1.0, 4.0])
def test_a_gate_that_pays_too_little_is_caught(broken: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.gate_simulation.threshold", lambda *_asked: ERROR / broken)
    case = next(case for case in NIGHTS if case.candidates == 6)
    assert not is_kept(simulate(case, 200)[0].mean(), 200, case.most, case.least)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_simulated_is_what_the_gate_does(seed: int) -> None:
    generator = np.random.default_rng(seed)
    better, worse = generator.integers(0, 40, 2)
    test = decide(pairs(int(better), int(worse), 300), Gate(), context()).test
    assert test is not None
    found = mid_p(np.array([better], np.float32), np.array([worse], np.float32))
    assert found[0] == pytest.approx(test.p_value, rel=1e-8)
    assert found[0] == pytest.approx(turn_signs(np.repeat([1, -1], [better, worse]), "better"))


@pytest.mark.parametrize("lost", [8, 12, 16])
def test_the_veto_that_is_simulated_is_the_gates(lost: int) -> None:
    champion = np.ones(CLASSES * OF_CLASS, bool)
    challenger = np.arange(CLASSES * OF_CLASS) >= lost
    harms = find_harms(of_hits(champion, challenger, np.repeat(np.arange(CLASSES), OF_CLASS), classes=CLASSES), ERROR)
    chance = mid_p(np.array([lost], np.float32), np.array([0.0], np.float32))[0]
    assert harms[0].shown is bool(chance <= ERROR / CLASSES)


@pytest.mark.parametrize("gain", [0.0, 0.02])
def test_two_trainings_differ_on_every_tenth_image(gain: float) -> None:
    shared, generator = share_of_images(0.9, 0.9 + gain), np.random.default_rng(0)
    images = np.sqrt(shared) * generator.normal(size=400_000)
    first, second = (
        images + np.sqrt(1 - shared) * generator.normal(size=400_000) < limit
        for limit in np.quantile(generator.normal(size=400_000), [0.9, 0.9 + gain])
    )
    assert np.mean(first != second) == pytest.approx(0.1, abs=0.003)
    assert np.mean(second) - np.mean(first) == pytest.approx(gain, abs=0.003)
