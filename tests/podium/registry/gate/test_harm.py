import numpy as np
import pytest

from podium.config.gates import Gate
from podium.registry.gate import decide
from podium.registry.gate.harm import find_harms
from tests.podium.registry.gate.making import context, of_hits


def test_a_class_that_loses_much_vetoes_a_challenger_that_is_better_over_all() -> None:
    labels = np.repeat(np.arange(4), 250)
    champion, challenger = np.ones(1000, bool), np.ones(1000, bool)
    champion[:100], challenger[-30:] = False, False
    decision = decide(of_hits(champion, challenger, labels), Gate(), context())
    assert decision.test is not None
    assert decision.test.p_value < decision.test.threshold
    assert (decision.verdict, decision.ground) == ("keep", "harm")
    assert "'class 3' (recall 0.880 against 1.000 on 250 images, p < 0.000001)" in decision.reason
    assert [(one.name, one.shown) for one in decision.harms] == [("class 3", True)]


def test_harms_are_of_lower_recall_alone_and_the_surest_comes_first() -> None:
    labels = np.repeat(np.arange(4), 50)
    champion, challenger = np.ones(200, bool), np.ones(200, bool)
    champion[:9], challenger[60:62], challenger[100:104] = False, False, False
    harms = find_harms(of_hits(champion, challenger, labels), 0.05)
    assert [(one.name, one.images, one.champion, one.challenger) for one in harms] == [
        ("class 2", 50, 1, pytest.approx(0.92)),
        ("class 1", 50, 1, pytest.approx(0.96)),
    ]
    # Of four lost and none gained, one-sided mid-p is 1/32; four classes pay for being looked at.
    assert [one.p_value for one in harms] == pytest.approx([4 / 32, 3 / 8])
    assert not any(one.shown for one in harms)


def test_classes_without_images_pay_nothing() -> None:
    made = of_hits(np.ones(40, bool), np.arange(40) > 4, np.zeros(40, int), classes=20)
    assert find_harms(made, 0.05)[0].p_value == pytest.approx(1 / 64)


def test_twenty_shots_of_one_scene_show_no_harm() -> None:
    right, labels = (np.ones(200, bool), np.arange(200) >= 20), np.zeros(200, int)
    assert find_harms(of_hits(*right, labels), 0.05)[0].shown
    groups = np.r_[np.zeros(20, int), np.arange(1, 181)]
    assert find_harms(of_hits(*right, labels, groups), 0.05)[0].p_value == 0.25
