import numpy as np
import pytest

from podium.pages.seriation import seriate


def like(count: int, *pairs: tuple[int, int, float]) -> np.ndarray:
    likeness = np.zeros((count, count))
    for one, two, how in pairs:
        likeness[one, two] = likeness[two, one] = how
    return likeness


def test_what_is_alike_stands_together_and_what_is_like_nothing_alone() -> None:
    groups = seriate(like(6, (0, 4, 1), (1, 5, 2), (5, 3, 1)), 6)
    assert [sorted(group.tolist()) for group in groups] == [[0, 4], [1, 3, 5], [2]]


def test_a_chain_is_put_in_its_order() -> None:
    shuffled = [3, 0, 4, 1, 2]
    (group,) = seriate(like(5, *((shuffled[place], shuffled[place + 1], 1 + 0.1 * place) for place in range(4))), 5)
    assert group.tolist() in (shuffled, shuffled[::-1])


@pytest.mark.parametrize("largest", [1, 2, 3, 7])
def test_no_group_is_larger_than_it_may_be_and_nothing_is_lost(largest: int) -> None:
    values = np.random.default_rng(0).random((20, 20))
    groups = seriate(values + values.T, largest)
    assert max(map(len, groups)) <= largest
    assert sorted(np.concatenate(groups).tolist()) == list(range(20))


def test_nothing_and_one_thing_have_an_order_too() -> None:
    assert seriate(np.zeros((0, 0)), 5) == []
    assert [group.tolist() for group in seriate(np.ones((1, 1)), 5)] == [[0]]
