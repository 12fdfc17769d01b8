import numpy as np
import pytest

from podium.evaluation.neighbours import REFERENCE_IMAGES, distance_to, find_nearest, reference_rows


def test_a_small_split_is_its_own_reference() -> None:
    assert reference_rows(np.arange(50) % 3).tolist() == [*range(50)]


def test_every_class_has_as_many_as_the_others_as_far_as_it_has_them() -> None:
    labels = np.repeat([0, 1, 2], [10_000, 5_000, 100])
    rows = reference_rows(labels)
    assert np.bincount(labels[rows]).tolist() == [700, 700, 100]
    assert (np.diff(rows) > 0).all()


def test_with_more_classes_than_images_no_class_comes_first() -> None:
    rows = reference_rows(np.arange(10_000), count=1_000)
    assert len(rows) == 1_000
    assert 4_000 < rows.mean() < 6_000


def test_the_same_seed_draws_the_same_reference_and_another_one_another() -> None:
    labels = np.arange(5_000) % 7
    one, same, other = (reference_rows(labels, count=50, seed=seed) for seed in (0, 0, 1))
    assert one.tolist() == same.tolist() != other.tolist()


def test_some_rows_are_always_among_them() -> None:
    rows = reference_rows(np.arange(5_000) % 7, always=[3, 4_999])
    assert {3, 4_999} <= set(rows.tolist())
    assert len(rows) <= REFERENCE_IMAGES + 2


def test_the_nearest_are_those_that_a_full_search_finds() -> None:
    random = np.random.default_rng(0)
    some, reference = random.normal(size=(1_500, 8)), random.normal(size=(40, 8))
    places, similarities = find_nearest(some.astype(np.float32), reference.astype(np.float32), 3)
    cosines = (some @ reference.T) / np.linalg.norm(some, axis=1)[:, None] / np.linalg.norm(reference, axis=1)
    np.testing.assert_array_equal(places, np.argsort(-cosines, axis=1)[:, :3])
    np.testing.assert_allclose(similarities, -np.sort(-cosines, axis=1)[:, :3], atol=1e-6)


def test_of_equally_near_ones_the_first_comes_first() -> None:
    places, _ = find_nearest(np.ones((1, 2), np.float32), np.ones((3, 2), np.float32), 3)
    assert places.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize(("cosine", "distance"), [(1.0, 0.0), (0.5, 1.0), (-1.0, 2.0), (1.0000001, 0.0)])
def test_the_distance_is_that_of_features_of_length_one(cosine: float, distance: float) -> None:
    assert distance_to(np.array([[1.0, cosine]], np.float32))[0] == pytest.approx(distance, abs=1e-3)
