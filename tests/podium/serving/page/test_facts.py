from pathlib import Path
from types import SimpleNamespace

from podium.serving.finding import Facts, Found
from podium.serving.page import PageFacts, Score, describe
from podium.tracking.classifier import Size

SIZE = Size(8, 8, 1, "pad")


def describe_version(facts: Facts) -> PageFacts:
    found = Found(Path("model"), "digits", "3", facts)
    predictor = SimpleNamespace(found=found, classes=("a", "b"), size=SIZE, threshold=0.4, has_boxes=True)
    return describe(predictor)  # type: ignore[arg-type]


def test_what_answers_is_what_the_predictor_has() -> None:
    about = describe_version(Facts())
    assert about == PageFacts("digits", "3", "", ("a", "b"), SIZE, 0.4, boxes=True)


def test_metrics_are_shown_with_their_intervals_and_only_with_them() -> None:
    metrics = {
        **{"test/accuracy": 0.9, "test/accuracy/low": 0.8, "test/accuracy/high": 0.95},
        **{"test/macro_f1": 0.7, "validation/mean_iou": 0.5, "validation/mean_iou/low": 0.4},
    }
    assert describe_version(Facts(metrics=metrics)).metrics == (Score("Accuracy, test images", 0.9, 0.8, 0.95),)


def test_the_decision_is_the_gates_sentence() -> None:
    text = "Promoted: digits-cnn (version 3), decision 2\n\nIt is better,\nby 1 %.\n\n| metric | champion |\n"
    assert describe_version(Facts(description=text)).decision == "It is better, by 1 %."
    assert describe_version(Facts(description="one line")).decision == ""
