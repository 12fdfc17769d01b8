import pytest

from podium.registry.gate import decide


@pytest.mark.parametrize(("score", "promoted"), [(0.91, True), (0.90, False), (0.89, False)])
def test_only_a_higher_score_is_promoted(score: float, promoted: bool) -> None:
    assert decide("new", score, "the champion old (version 1)", 0.90).promoted is promoted


def test_the_reason_names_both_and_their_scores() -> None:
    reason = decide("new", 0.5, "the champion old (version 1)", 0.75).reason
    assert reason == (
        "new does not beat the champion old (version 1): validation accuracy 0.5000 against 0.7500. The champion stays."
    )
