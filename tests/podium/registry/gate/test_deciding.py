"""The order of what is asked, the three verdicts, and what is said of them."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from podium.config.gates import Gate, Metric
from podium.evaluation.paired import turn_signs
from podium.registry import decision as kept
from podium.registry.gate import budget_share, decide
from podium.registry.gate.measuring import measure_gain
from tests.podium.registry.gate.making import OWN, context, draw, pairs

SMALLER = replace(OWN, model_bytes=1_000_000)


def compared(decision: kept.Decision) -> kept.Test:
    assert decision.test is not None
    return decision.test


def test_a_gain_that_is_shown_promotes() -> None:
    decision = decide(pairs(22, 5, 332), Gate(), context())
    assert (decision.verdict, decision.ground, decision.missing) == ("promote", "better", None)
    assert decision.spent == pytest.approx(0.05 * budget_share(1))
    assert decision.reason == (
        "cnn is better than mlp (version 3): accuracy 0.986 against 0.939 on 359 validation images, +0.047 (0.021 to "
        "0.079), p = 0.00046 (needed: 0.03)."
    )


@pytest.mark.parametrize(
    ("gained", "lost", "ground", "verdict"),
    [
        (22, 5, "better", "promote"),
        (15, 9, "too_few_images", "undecided"),
        (9, 9, "not_better", "keep"),
        (9, 15, "not_better", "keep"),
        (0, 0, "not_better", "keep"),
    ],
)
def test_the_three_verdicts(gained: int, lost: int, ground: str, verdict: str) -> None:
    decision = decide(pairs(gained, lost, 800), Gate(), context())
    assert (decision.ground, decision.verdict) == (ground, verdict)
    assert (decision.missing is not None) is (verdict == "undecided")
    assert (compared(decision).gained, compared(decision).lost) == (gained, lost)


def test_a_gain_too_small_to_be_worth_it_keeps_the_champion() -> None:
    made = pairs(12, 9, 6000)
    assert decide(made, Gate(worth=0.0001), context()).verdict == "undecided"
    decision = decide(made, Gate(worth=0.005), context())
    assert (decision.verdict, decision.ground) == ("keep", "not_better")
    assert "ahead of mlp (version 3) by less than is worth a change (0.005)" in decision.reason


@pytest.mark.parametrize("seed", range(6))
def test_the_p_value_is_the_exact_one_of_groups_turned_round(seed: int) -> None:
    made = draw(seed, most_alike=9, ahead=0.3)
    surplus = (made.challenger.predicted == made.labels).astype(int) - (made.champion.predicted == made.labels)
    by_group = np.array([surplus[made.groups == group].sum() for group in np.unique(made.groups)])
    test = compared(decide(made, Gate(), context()))
    assert test.p_value == pytest.approx(turn_signs(by_group, "better"), rel=1e-8)
    assert (test.images, test.groups) == (400, len(by_group))
    assert (test.gained, test.lost) == ((by_group > 0).sum(), (by_group < 0).sum())


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "loss", "mean_iou", "joint_accuracy"])
def test_each_metric_promotes_what_is_better_and_keeps_what_is_worse(metric: Metric) -> None:
    rules = Gate(metric=metric)
    better, worse = decide(pairs(60, 20, 400), rules, context()), decide(pairs(20, 60, 400), rules, context())
    assert (better.ground, worse.verdict) == ("better", "keep")
    one, other = compared(better), compared(worse)
    sign = -1 if metric == "loss" else 1
    assert sign * one.difference > 0 > sign * other.difference
    assert one.difference == pytest.approx(one.challenger - one.champion)
    assert one.low is not None
    assert one.high is not None
    assert one.low < one.difference < one.high
    assert one.p_value < 0.001 < 0.9 < other.p_value


@pytest.mark.parametrize("metric", ["macro_f1", "loss", "mean_iou"])
def test_a_great_gain_is_shown_where_little_of_the_error_is_left(metric: Metric) -> None:
    """2,000 swaps by chance alone could never show a p-value below 0.0005."""
    late = context(number=5, candidates=6, epochs=30)
    decision = decide(pairs(150, 20, 700), Gate(metric=metric), late)
    assert compared(decision).threshold < 2e-5
    assert decision.ground == "better"


def test_images_without_known_boxes_are_not_compared_by_boxes() -> None:
    made = pairs(30, 5, 65)
    overlaps = np.where(np.arange(100) < 60, made.champion.overlaps, np.nan)
    some = replace(made, champion=replace(made.champion, overlaps=overlaps))
    assert compared(decide(some, Gate(metric="mean_iou"), context())).images == 60
    none = replace(made, champion=replace(made.champion, overlaps=np.full(100, np.nan)))
    decision = decide(none, Gate(metric="joint_accuracy"), context())
    assert decision.ground == "incomparable"
    assert "no image has boxes of both, which joint accuracy needs" in decision.reason


def test_what_cannot_be_compared_is_undecided_with_a_way_on() -> None:
    decision = decide(None, Gate(), context(incomparable="The champion's model is gone."))
    assert (decision.verdict, decision.ground, decision.spent) == ("undecided", "incomparable", 0)
    assert decision.reason.startswith("cnn and mlp (version 3) cannot be compared: The champion's model is gone.")
    assert 'podium promote NAME@VERSION --force --why "…"' in decision.reason
    none_left = decide(None, Gate(), context(left_out={"trained on by the champion": 1200}))
    assert "there is no validation image that counts (1,200 trained on by the champion)" in none_left.reason


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"measures": SMALLER}, "smaller (1 MB against 5 MB)"),
        ({"measures": replace(OWN, p95_ms=2.0)}, "faster (2 ms against 4 ms an image)"),
        ({"newer_data": True}, "trained on newer data"),
    ],
)
def test_with_a_margin_a_challenger_that_is_preferred_may_be_as_good(changed: dict[str, object], said: str) -> None:
    made, rules = pairs(20, 22, 1500), Gate(margin=0.01)
    decision = decide(made, rules, context(**changed))
    assert (decision.verdict, decision.ground) == ("promote", "not_worse")
    assert said in decision.reason
    assert decide(made, Gate(), context(**changed)).verdict == "keep"
    assert decide(made, rules, context()).verdict == "keep"


def test_a_challenger_only_a_little_smaller_or_faster_on_another_machine_is_not_preferred() -> None:
    little = replace(OWN, model_bytes=4_500_000, p95_ms=1.0, machine="another")
    assert decide(pairs(20, 22, 1500), Gate(margin=0.01), context(measures=little)).ground == "not_better"


def test_a_margin_that_is_not_shown_is_undecided_and_one_that_is_lost_keeps_the_champion() -> None:
    rules, smaller = Gate(margin=0.01), context(measures=SMALLER)
    undecided = decide(pairs(20, 22, 500), rules, smaller)
    assert undecided.ground == "too_few_images"
    assert undecided.missing is not None
    assert decide(pairs(20, 40, 500), rules, smaller).ground == "not_better"


def test_what_is_missing_would_be_enough_in_four_of_five_cases() -> None:
    """At the next decision, whose share of the error is smaller."""
    missing = decide(pairs(56, 44, 900), Gate(), context()).missing
    assert missing is not None
    generator, shown = np.random.default_rng(0), []
    limit = 0.05 * budget_share(2)
    for _ in range(300):
        better, worse, _rest = generator.multinomial(1000 + missing, [0.056, 0.044, 0.9])
        shown.append(measure_gain(pairs(better, worse, 10), "accuracy").found.p_value <= limit)
    assert np.mean(shown) == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "loss", "mean_iou"])
def test_of_other_metrics_and_of_images_that_are_alike_missing_are_about_as_many(metric: Metric) -> None:
    """Each image twice over, as a near-duplicate, tells nothing more: twice as many are missing."""
    alone = pairs(56, 44, 900)
    single = decide(alone, Gate(metric=metric), context()).missing
    assert single is not None
    places = np.repeat(np.arange(1000), 2)
    twice = replace(
        alone,
        **{name: getattr(alone, name)[places] for name in ("ids", "digests", "groups", "labels")},
        **{
            name: replace(some, **{of: getattr(some, of)[places] for of in ("predicted", "losses", "overlaps")})
            for name, some in (("champion", alone.champion), ("challenger", alone.challenger))
        },
    )
    double = decide(twice, Gate(metric=metric), context()).missing
    assert double == pytest.approx(2 * single, rel=0.1)


def test_a_later_decision_and_a_chosen_challenger_need_more() -> None:
    made = pairs(22, 8, 500)
    assert decide(made, Gate(), context()).verdict == "promote"
    for later in (context(number=3), context(candidates=6), context(epochs=30)):
        assert decide(made, Gate(), later).verdict == "undecided"


@pytest.mark.parametrize("images", [1, 2, 9])
@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "loss", "mean_iou", "joint_accuracy"])
def test_a_handful_of_images_decides_nothing(images: int, metric: Metric) -> None:
    decision = decide(pairs(images, 0, 0), Gate(metric=metric, margin=0.01), context(number=9))
    assert decision.verdict == "undecided"
    one_scene = pairs(images, 0, 0, np.zeros(images, int))
    assert decide(one_scene, Gate(metric=metric), context()).verdict == "undecided"


@pytest.mark.slow
def test_a_decision_is_the_same_in_another_process() -> None:
    code = (
        "from podium.config.gates import Gate\n"
        "from podium.registry.gate import decide\n"
        "from tests.podium.registry.gate.making import context, draw\n"
        "for metric in ('accuracy', 'macro_f1', 'loss'):\n"
        "    print(decide(draw(3, most_alike=5), Gate(metric=metric, margin=0.01), context(newer_data=True)))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for line, metric in zip(found.splitlines(), ("accuracy", "macro_f1", "loss"), strict=True):
        rules = Gate(metric=metric, margin=0.01)
        assert line == str(decide(draw(3, most_alike=5), rules, context(newer_data=True)))
