import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from defusedxml.ElementTree import fromstring
from matplotlib.figure import Figure

from podium.pages.matrix import Matrix, arrange, draw_matrix, draw_overview, tint, write_svg
from podium.pages.matrix_plot import plot_matrix

MATRIX = Matrix(("cat", "dog", "newt"), np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]]), np.array([10, 10, 0]), (2, 1))
HOSTILE = ("<script>alert(1)</script>", "\u202egpj.exe", "x" * 300)


def cells(drawn: str) -> dict[str, str]:
    """The number in each cell, by what is said of it."""
    root = fromstring(re.sub(r" xmlns=\"[^\"]+\"", "", drawn))
    return {each.findtext("title", ""): each.findtext("text", "") for each in root.iter("g") if each.get("class")}


def test_a_cell_has_its_count_its_share_and_who_is_taken_for_whom() -> None:
    assert cells(draw_matrix(MATRIX)) == {
        "cat: 8 of 10 (80.0%)": "8",
        "cat taken for dog: 2 of 10 (20.0%)": "2",
        "dog taken for cat: 1 of 10 (10.0%)": "1",
        "dog: 9 of 10 (90.0%)": "9",
    }


def test_a_class_without_images_is_named_as_such() -> None:
    assert "no image" in draw_matrix(MATRIX)
    assert "80% of 10" in draw_matrix(MATRIX)


def test_errors_are_seen_even_if_they_are_few() -> None:
    assert tint(np.array([0.0]))[0] == 0
    assert tint(np.array([0.005]))[0] > 0.15


def test_the_file_is_whole_and_the_same_names_give_the_same_bytes() -> None:
    shades = np.array([[0, 0.5], [0, 0]])
    one, two = (write_svg(MATRIX, (shades, 0.5), "dots & more") for _ in range(2))
    assert one == two
    assert cells(one) == cells(draw_matrix(MATRIX))
    assert "dots &amp; more" in one
    assert draw_overview(shades, 0.5).count('class="wrong"') == 1


def test_hostile_names_stay_texts() -> None:
    matrix = Matrix(HOSTILE, np.eye(3, dtype=int), np.ones(3, int), (1, 1, 1))
    for drawn in (draw_matrix(matrix), write_svg(matrix, None, HOSTILE[0])):
        tags = {each.tag.rpartition("}")[2] for each in fromstring(drawn).iter()}
        assert tags <= {"svg", "g", "rect", "text", "title", "path", "style"}
        assert "\u202e" not in drawn
        assert len(drawn) < 9000


@pytest.mark.parametrize(
    ("sizes", "largest", "taken"), [((3, 2, 1), 10, (3, 2, 1)), ((3, 2, 1), 5, (3, 2)), ((9, 2), 5, (9,))]
)
def test_the_first_blocks_are_taken_as_long_as_there_is_room(
    sizes: tuple[int, ...], largest: int, taken: tuple[int, ...]
) -> None:
    blocks = [np.arange(size) for size in sizes]
    things, sizes = arrange(blocks, largest)
    assert sizes == taken
    assert len(things) == sum(taken)


@pytest.mark.parametrize("count", [1, 3, 24])
def test_the_plot_has_the_colours_of_right_and_wrong_where_they_belong(count: int, tmp_path: Path) -> None:
    counts = np.roll(np.eye(count, dtype=int), 1, axis=1) if count > 1 else np.ones((1, 1), int)
    figure = Figure(figsize=(6, 6), dpi=100)
    axes = figure.add_axes((0.2, 0.05, 0.75, 0.75))
    plot_matrix(axes, Matrix(tuple(f"class {n}" for n in range(count)), counts, np.ones(count, int), (count,)))
    figure.savefig(tmp_path / "matrix.png")
    blue, green, red = np.moveaxis(cv2.imread(str(tmp_path / "matrix.png")).astype(int), 2, 0)
    bluish, reddish = (blue - red > 60).mean(), (red - blue > 60).mean()
    assert (bluish > reddish) == (count == 1)
    assert green.std() > 1
