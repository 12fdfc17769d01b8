"""The score of a difference of paired shares; its interval is tested in test_paired.py."""

import numpy as np
import pytest
from scipy.stats import norm

from podium.evaluation import tango


def test_at_no_difference_it_is_mcnemars_statistic() -> None:
    assert tango.score(30, 18, 400, 0.0) == pytest.approx((30 - 18) / np.sqrt(48))


@pytest.mark.parametrize(("better", "worse"), [(20, 22), (0, 0), (0, 30), (44, 3)])
def test_a_margin_at_the_end_of_the_interval_is_ruled_out_at_the_intervals_level(better: int, worse: int) -> None:
    low, _ = tango.interval(better, worse, 500, norm.ppf(0.975))
    assert tango.not_worse(better, worse, 500, -low) == pytest.approx(0.025, abs=1e-6)
    assert tango.not_worse(better, worse, 500, -low + 0.01) < 0.025 < tango.not_worse(better, worse, 500, -low - 0.01)


def test_a_model_that_is_worse_by_the_margin_passes_in_one_case_of_twenty() -> None:
    generator, passed = np.random.default_rng(0), []
    for better, worse, _ in generator.multinomial(1000, [0.04, 0.06, 0.9], 4000):
        passed.append(tango.not_worse(better, worse, 1000, 0.02) <= 0.05)
    assert np.mean(passed) == pytest.approx(0.05, abs=0.012)
