import numpy as np
import pytest

from podium.errors import PodiumError
from podium.evaluation.ranking import Entrant, rank

IMAGES = 400
ALONE = np.arange(IMAGES)


def entrant(name: str, *accuracies: float, seed: int = 0) -> Entrant:
    """One with exactly these accuracies, one a seed; which images it misses is drawn by lot."""
    generator = np.random.default_rng([seed, *name.encode()])
    rows = [generator.permutation(np.arange(IMAGES) < round(accuracy * IMAGES)) for accuracy in accuracies]
    return Entrant(name, np.array(rows, dtype=np.float64))


def test_the_best_comes_first_and_chances_add_up() -> None:
    ranking = rank([entrant("low", 0.6), entrant("high", 0.9), entrant("middle", 0.88)], ALONE)
    assert [one.name for one in ranking.standings] == ["high", "middle", "low"]
    assert sum(one.chance for one in ranking.standings) == pytest.approx(1)
    assert ranking.standings[0].chance > ranking.standings[1].chance > 0.05


def test_who_is_shown_to_be_worse_is_left_out_and_who_is_not_stays() -> None:
    ranking = rank([entrant("low", 0.6), entrant("high", 0.9), entrant("middle", 0.88)], ALONE)
    assert [one.name for one in ranking.open] == ["high", "middle"]
    assert ranking.standings[2].chance == 0


def test_equal_models_share_the_chance() -> None:
    one = entrant("one", 0.8)
    ranking = rank([one, Entrant("other", one.scores)], ALONE)
    assert [each.chance for each in ranking.standings] == [0.5, 0.5]
    assert len(ranking.open) == 2


def test_one_alone_is_the_best() -> None:
    (only,) = rank([entrant("only", 0.8)], ALONE).standings
    assert (only.chance, only.is_open, only.behind) == (1, True, None)


def test_images_that_are_alike_prove_less() -> None:
    first, second = np.arange(IMAGES) < 360, np.arange(IMAGES) < 340
    entrants = [Entrant("first", first[np.newaxis].astype(float)), Entrant("second", second[np.newaxis].astype(float))]
    assert len(rank(entrants, ALONE).open) == 1
    assert len(rank(entrants, np.arange(IMAGES) // 20).open) == 2  # all the difference is one group


def test_seeds_that_are_apart_prove_less() -> None:
    steady = [entrant("first", 0.9, 0.9, 0.9), entrant("second", 0.8, 0.8, 0.8)]
    shaky = [entrant("first", 0.98, 0.9, 0.82), entrant("second", 0.7, 0.8, 0.9)]
    assert len(rank(steady, ALONE).open) == 1
    assert len(rank(shaky, ALONE).open) == 2
    first = rank(shaky, ALONE).standings[0]
    assert (first.seeds, first.spread) == (3, pytest.approx(0.08))
    assert 0.5 < first.chance < 0.99


def test_losses_are_ranked_by_their_negatives() -> None:
    generator = np.random.default_rng(0)
    low, high = (Entrant(name, -generator.exponential(mean, (1, IMAGES))) for name, mean in (("low", 0.1), ("high", 1)))
    ranking = rank([high, low], ALONE)
    assert [one.name for one in ranking.open] == ["low"]


@pytest.mark.parametrize(("accuracies", "seeds"), [((0.9,) * 6, 1), ((0.92, *(0.9,) * 5), 1), ((0.9,) * 4, 3)])
def test_the_truly_best_one_is_nearly_always_in_the_set(accuracies: tuple[float, ...], seeds: int) -> None:
    generator, kept, times, images = np.random.default_rng(0), 0, 60, 200
    apart = 0.01 * (seeds > 1)
    for _ in range(times):
        hard = generator.random(images) ** 2  # images are hard for all alike
        rows = [
            np.array(
                [
                    generator.random(images) < np.clip(mine + apart * generator.normal() - 0.2 * (hard - 1 / 3), 0, 1)
                    for _ in range(seeds)
                ]
            )
            for mine in accuracies
        ]
        entrants = [Entrant(str(place), row.astype(np.float64)) for place, row in enumerate(rows)]
        kept += "0" in {one.name for one in rank(entrants, np.arange(images)).open}
    assert kept / times >= 0.93


def test_the_same_ranking_comes_out_again() -> None:
    entrants = [entrant("a", 0.8, 0.82), entrant("b", 0.81, 0.8)]
    assert rank(entrants, ALONE) == rank(entrants, ALONE)


def test_models_of_other_images_are_not_ranked() -> None:
    with pytest.raises(PodiumError, match="400 images, the others on 399"):
        rank([entrant("a", 0.8)], np.arange(IMAGES - 1))
