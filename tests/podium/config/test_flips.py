import pytest

from podium.config import load_params
from podium.config.datasets import DigitsFormat
from podium.config.flips import class_changed_by_flip
from tests.makers import REPOSITORY, make_dataset


@pytest.mark.parametrize(
    ("names", "example"),
    [
        (["A", "B"], "B"),
        (["A", "O"], "A"),
        (["nothing", "ß"], "ß"),
        (["7", "none"], "7"),
        (["speed 30", "30"], "30"),
        (["cat", "Seven"], "Seven"),
        (["up", "turn left"], "turn left"),
        (["ahead", "arrow_right"], "arrow_right"),
        (["cat", "dog"], None),
        (["bright", "leftover"], None),
        (["stone", "often"], None),
        (["01-minor", "02-moderate"], None),
        (["-", "+"], None),
    ],
)
def test_letters_digits_numbers_and_sides_change_when_flipped(names: list[str], example: str | None) -> None:
    assert (
        class_changed_by_flip(make_dataset(classes={str(place): name for place, name in enumerate(names)})) == example
    )


def test_the_classes_of_a_format_of_digits_change_whatever_their_names() -> None:
    classes = {"0": "empty circle", "1": "stroke"}
    assert class_changed_by_flip(make_dataset(classes=classes, format=DigitsFormat(kind="digits"))) == "empty circle"
    assert class_changed_by_flip(make_dataset(classes=classes)) is None


@pytest.mark.parametrize(
    ("recipe", "example"),
    [("digits", "two"), ("sign_language", "B"), ("svhn", "two"), ("cats_vs_dogs", None), ("car_damage", None)],
)
def test_the_recipes_that_may_be_flipped_are_those_of_photographs(recipe: str, example: str | None) -> None:
    for dataset in load_params(REPOSITORY / f"recipes/{recipe}.yaml").datasets.values():
        assert class_changed_by_flip(dataset) == example
