import pytest

from podium.errors import nearest


@pytest.mark.parametrize(
    ("name", "known", "sentence"),
    [
        ("mobilnet", ["mobilenet", "cnn", "dense"], "Did you mean 'mobilenet'? There are: cnn, dense, mobilenet."),
        ("xyzzy", ["cnn", "dense"], "There are: cnn, dense."),
        ("cnn", [], "There are none."),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest_and_with_all(name: str, known: list[str], sentence: str) -> None:
    assert nearest(name, known) == sentence
