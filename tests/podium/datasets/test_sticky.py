"""Sticky splits: a thousand random changes to a dataset, and no image or near-duplicate of one that changes sides."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import ArchiveHashedSplit, HashedSplit, Split
from podium.datasets.arrays import SPLITS
from podium.datasets.splits import assign_splits
from podium.datasets.sticky import BETWEEN, KEPT
from podium.datasets.validation import places
from podium.datasets.validation.duplicates import Pairs, group
from podium.datasets.validation.manifest import COLUMNS
from podium.datasets.validation.places import add_gone, link
from podium.errors import PodiumError
from podium.images.phash import flipped, unpack

DISTANCE = 24
HASHED = HashedSplit(kind="hashed", validation=0.2, test=0.2, seed=0)
ARCHIVE_HASHED = ArchiveHashedSplit(kind="archive_hashed", test_from="test", validation=0.3, seed=0)


def every_pair(hashes: np.ndarray, distance: int) -> Pairs:
    """Compare all with all: of so few images sooner done than `find_pairs`."""
    one, other = np.triu_indices(len(hashes), 1)
    bits = count_bits(hashes[one], hashes[other])
    near = bits <= distance
    return Pairs(one[near], other[near], bits[near], np.zeros(near.sum(), dtype=bool))


def count_bits(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Count the bits that differ, as images are or with one exchanged left and right."""
    different = one ^ other
    bits = [np.bitwise_count(each).sum(axis=-1, dtype=np.int64) for each in (different, different ^ MIRROR)]
    return np.minimum(*bits)


MIRROR = flipped(np.zeros((1, 4), np.uint64))[0]


@dataclass
class World:
    """A dataset that changes: each image a digest, a hash as an integer, a name, a label."""

    generator: np.random.Generator
    rows: list[dict[str, object]] = field(default_factory=list)
    past: list[int] = field(default_factory=list)
    """The hashes of all images that ever were."""

    def add(self, hash_: int | None = None, digest: str | None = None) -> None:
        hash_ = int.from_bytes(self.generator.bytes(32)) & ~(1 << 255) if hash_ is None else hash_
        self.past.append(hash_)
        self.rows.append(
            {
                "id": f"image-{self.generator.integers(10**12)}",
                "part": "train",
                "label": "ab"[self.generator.integers(2)],
                "sha256": digest or self.generator.bytes(32).hex(),
                "hash": f"{hash_:064x}",
                "fault": None,
                "left_out": None,
            }
        )

    def near(self, hash_: int, bits: int) -> int:
        """Change so many bits of the higher frequencies, in which near-duplicates differ."""
        for bit in self.generator.choice(128, bits, replace=False):
            hash_ ^= 1 << int(bit)
        return hash_

    def some(self) -> dict[str, object]:
        return self.rows[self.generator.integers(len(self.rows))]

    def add_near_duplicate(self) -> None:
        """Of an image that is there, or of one that was."""
        self.add(self.near(self.past[self.generator.integers(len(self.past))], 8))

    def add_cousin(self) -> None:
        """An image that is just too unlike another to be its near-duplicate."""
        self.add(self.near(int(str(self.some()["hash"]), 16), 36))

    def add_bridge(self) -> None:
        """A near-duplicate of two images that are not near-duplicates of each other."""
        hashes = [int(str(row["hash"]), 16) for row in self.rows]
        one = hashes[self.generator.integers(len(hashes))]
        cousins = [other for other in hashes if DISTANCE < (one ^ other).bit_count() <= 2 * DISTANCE]
        if cousins:
            different = one ^ cousins[self.generator.integers(len(cousins))]
            bits = [1 << bit for bit in range(256) if different >> bit & 1]
            self.add(one ^ sum(bits[: len(bits) // 2]))

    def add_copy(self) -> None:
        row = self.some()
        self.add(int(str(row["hash"]), 16), str(row["sha256"]))

    def remove(self) -> None:
        if len(self.rows) > 60:
            self.rows.remove(self.some())

    def rename(self) -> None:
        self.some()["id"] = f"renamed-{self.generator.integers(10**12)}"

    def relabel(self) -> None:
        self.some()["label"] = "c"

    def reorder(self) -> None:
        self.generator.shuffle(self.rows)  # type: ignore[arg-type]

    def quarantine(self) -> None:
        row = self.some()
        row["left_out"] = None if row["left_out"] else "reviewed"

    def change(self) -> None:
        """Make one change, by lot."""
        changes: list[Callable[[], None]] = [
            *(self.add, self.add_near_duplicate, self.add_cousin, self.add_bridge, self.add_copy),
            *(self.remove, self.remove, self.remove, self.remove, self.remove),
            *(self.rename, self.relabel, self.reorder, self.quarantine),
        ]
        changes[self.generator.integers(len(changes))]()

    def manifest(self) -> pd.DataFrame:
        table = pd.DataFrame(self.rows)
        usable = np.flatnonzero(table["left_out"].isna())
        pairs = places.find_pairs(unpack(table["hash"].iloc[usable]), DISTANCE)
        groups = np.arange(len(table))
        groups[usable] = usable[group(len(usable), pairs)]
        return table.assign(group=groups).reindex(columns=COLUMNS)


def make_world(seed: int = 0, images: int = 80) -> World:
    world = World(np.random.default_rng(seed))
    for _ in range(images):
        world.add()
    return world


def split_as_validation_does(manifest: pd.DataFrame, split: Split, accepted: pd.DataFrame | None) -> pd.DataFrame:
    grouped, had = manifest, None
    if accepted is not None:
        groups, had = link(manifest, accepted, DISTANCE)
        grouped = manifest.assign(group=groups)
    assigned = assign_splits(grouped, split, had)
    return manifest.assign(split=assigned["split"], reason=assigned["reason"])


def versions(world: World, count: int, changes: int, *, remembered: bool) -> Iterator[pd.DataFrame]:
    """Give the manifests of so many versions, with so many changes between; each is accepted, if so."""
    accepted: pd.DataFrame | None = None
    for _ in range(count):
        manifest = split_as_validation_does(world.manifest(), HASHED, accepted)
        if remembered:
            accepted = manifest if accepted is None else add_gone(manifest, accepted)
            again = split_as_validation_does(manifest, HASHED, accepted)
            pd.testing.assert_frame_equal(again, manifest)  # so what was trained is not trained again
        yield manifest
        for _ in range(changes):
            world.change()


@dataclass
class Sides:
    """Where every image has ever been, by its hash."""

    hashes: np.ndarray = field(default_factory=lambda: np.empty((0, 4), np.uint64))
    splits: np.ndarray = field(default_factory=lambda: np.empty(0, np.int8))

    def crossings(self, manifest: pd.DataFrame) -> int:
        """Count pairs of an image and a near-duplicate, itself included, that are or were in two splits."""
        used = manifest[manifest["split"].isin(SPLITS)]
        hashes, splits = unpack(used["hash"]), used["split"].map(SPLITS.index).to_numpy(np.int8)
        both = np.unique(np.column_stack([np.vstack([self.hashes, hashes]), [*self.splits, *splits]]), axis=0)
        self.hashes, self.splits = both[:, :4].astype(np.uint64), both[:, 4].astype(np.int8)
        near = count_bits(hashes[:, np.newaxis], self.hashes[np.newaxis]) <= DISTANCE
        return int((near & (splits[:, np.newaxis] != self.splits)).sum())


@pytest.mark.parametrize(
    ("count", "changes"), [(26, 40), pytest.param(1000, 1, marks=pytest.mark.soak, id="looked at after each")]
)
def test_after_a_thousand_changes_no_image_and_no_near_duplicate_of_one_is_on_another_side(
    monkeypatch: pytest.MonkeyPatch, count: int, changes: int
) -> None:
    monkeypatch.setattr(places, "find_pairs", every_pair)
    sides, between, used = Sides(), 0, 0
    for manifest in versions(make_world(), count, changes, remembered=True):
        assert sides.crossings(manifest) == 0
        between += (manifest["split"] == "left").sum()
        used += manifest["split"].isin(SPLITS).sum()
    assert len(sides.hashes) > 3 * 80
    assert 0 < between < 0.15 * used, "images that are like images of two splits are in none, and they are few"


def test_content_alone_moves_no_group_that_did_not_change_and_cannot_promise_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Decision 0023: without memory, what joins or leaves a group may move the rest of it."""
    monkeypatch.setattr(places, "find_pairs", every_pair)
    before: dict[frozenset[str], str] = {}
    sides, kept, crossings = Sides(), 0, 0
    for manifest in versions(make_world(), 12, 40, remembered=False):
        crossings += sides.crossings(manifest)
        used = manifest[manifest["split"].isin(SPLITS)]
        groups = used.groupby("group").agg({"sha256": frozenset, "split": "first"})
        now = dict(zip(groups["sha256"], groups["split"], strict=True))
        assert all(before[group] == split for group, split in now.items() if group in before)
        kept += len(before.keys() & now.keys())
        before = now
    assert kept > 100
    assert crossings > 0


def make_manifest(count: int, part: str = "train", seed: int = 0) -> pd.DataFrame:
    """Images that are like no others."""
    digests = np.random.default_rng(seed).bytes(32 * count).hex()
    table = pd.DataFrame(
        {
            "id": [f"image-{row}" for row in range(count)],
            "part": part,
            "label": [str(row % 10) for row in range(count)],
            "sha256": [digests[start : start + 64] for start in range(0, len(digests), 64)],
            "hash": "0" * 64,
            "group": range(count),
        }
    )
    return table.reindex(columns=COLUMNS).astype({"sha256": "str", "left_out": "str", "split": "str", "reason": "str"})


def split_of(manifest: pd.DataFrame, split: Split = HASHED, had: pd.DataFrame | None = None) -> pd.Series:
    return assign_splits(manifest, split, had).set_index("sha256")["split"]


def having(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["sha256", "split", "group"])


def test_no_image_moves_when_others_come_go_are_renamed_or_stand_in_another_order() -> None:
    whole = make_manifest(300)
    before = split_of(whole)
    other = whole.sample(frac=0.9, random_state=3).reset_index(drop=True)
    other = other.assign(group=range(len(other)), id=[f"new-{row}" for row in range(len(other))], label="x")
    after = split_of(pd.concat([make_manifest(50, seed=9).assign(group=range(1000, 1050)), other], ignore_index=True))
    assert after[other["sha256"]].equals(before[other["sha256"]])


def test_a_place_is_the_same_for_ever() -> None:
    """Another rule would move the images of everyone's datasets. The second letters: r, a and e."""
    manifest = make_manifest(16).assign(sha256=[f"{row:x}" * 64 for row in range(16)])
    letters = {seed: "".join(split_of(manifest, replace(HASHED, seed=seed)).str[1]) for seed in (0, 1, 2**32 - 1)}
    assert letters == {0: "arreerrerrerrrra", 1: "rarrrarreerrreea", 2**32 - 1: "rrrerrrarreraeea"}


@pytest.mark.parametrize("seed", range(5))
def test_the_shares_hold_within_what_chance_gives_in_every_class(seed: int) -> None:
    count, classes, sigmas = 20_000, 10, 4.5
    manifest = make_manifest(count, seed=1)
    split = HashedSplit(kind="hashed", validation=0.1, test=0.25, seed=seed)
    counts = pd.crosstab(manifest["label"], assign_splits(manifest, split)["split"])
    for name, share in {"train": 0.65, "validation": 0.1, "test": 0.25}.items():
        expected = share * count / classes
        assert (abs(counts[name] - expected) < sigmas * (expected * (1 - share)) ** 0.5).all()


def test_another_seed_is_another_draw_and_a_greater_share_only_takes_from_train() -> None:
    manifest = make_manifest(2000)
    first, other, greater = (
        split_of(manifest, split)
        for split in (HASHED, replace(HASHED, seed=1), replace(HASHED, validation=0.3, test=0.4))
    )
    assert 0.4 < (first == other).mean() < 0.5  # 0.2² + 0.2² + 0.6² = 0.44
    assert (first[first != greater] == "train").all()


def test_near_duplicates_are_placed_together() -> None:
    manifest = make_manifest(400).assign(group=[row % 100 for row in range(400)])
    assigned = assign_splits(manifest, HASHED)
    assert (assigned.groupby(manifest["group"])["split"].nunique() == 1).all()
    assert set(assigned["reason"]) == {"drawn by content, seed 0"}


# what an accepted version remembers ---------------------------------------------------------------------


def test_what_was_in_a_split_stays_and_near_duplicates_follow_it() -> None:
    manifest = make_manifest(40).assign(group=[0, 0, 0, *range(3, 40)])
    for split in SPLITS:
        assigned = assign_splits(manifest, HASHED, having((manifest.loc[1, "sha256"], split, 0)))
        assert assigned["split"].tolist()[:3] == [split] * 3
        drawn = "drawn by content, seed 0"
        assert assigned["reason"].tolist()[:4] == [drawn if split == "train" else KEPT] * 3 + [drawn]
        assert assigned["split"].tolist()[3:] == split_of(manifest)[3:].tolist()


def test_near_duplicates_of_an_image_that_is_gone_follow_it_all_the_same() -> None:
    manifest = make_manifest(40)
    for split in SPLITS:
        assert assign_splits(manifest, HASHED, having(("gone", split, 0)))["split"][0] == split


@pytest.mark.parametrize(
    ("had", "found"),
    [
        (("train", "test"), ["train", "left", "left"]),
        (("validation", "train"), ["left", "train", "left"]),
        (("test", "validation"), ["left", "validation", "left"]),
        (("test", "test"), ["test", "test", "test"]),
    ],
)
def test_where_groups_merge_the_stricter_split_keeps_its_own_and_the_rest_is_left(
    had: tuple[str, str], found: list[str]
) -> None:
    manifest = make_manifest(40).assign(group=[0, 0, 0, *range(3, 40)])
    before = having(*((manifest.loc[row, "sha256"], split, 0) for row, split in enumerate(had)))
    assigned = assign_splits(manifest, HASHED, before)
    assert assigned["split"].tolist()[:3] == found
    assert (assigned["reason"] == BETWEEN).sum() == found.count("left")


def test_an_image_that_was_in_no_split_is_remembered_by_none() -> None:
    accepted = make_manifest(3).assign(split=["left", "quarantined", "unlabelled"])
    assert link(make_manifest(3), accepted, DISTANCE)[1].empty


def test_what_is_gone_or_left_is_carried_from_version_to_version() -> None:
    first = make_manifest(4).assign(split=["train", "validation", "test", "left"], reason="x")
    second = add_gone(first[:1].assign(split="left"), first)
    third = add_gone(make_manifest(1, seed=5).assign(split="train", reason="x"), second)
    assert second["part"].tolist() == ["train", "gone", "gone", "gone"]
    assert dict(zip(third["sha256"], third["split"], strict=True)) == {
        **dict(zip(first["sha256"][:3], SPLITS, strict=True)),
        third.loc[0, "sha256"]: "train",
    }
    assert [*third.columns] == COLUMNS
    assert add_gone(first, first) is first


def test_images_that_are_left_out_or_have_no_label_have_no_say() -> None:
    manifest = make_manifest(40)
    manifest.loc[1, ["group", "left_out", "sha256"]] = [0, "reviewed", "0" * 64]  # the least digest of all
    manifest.loc[2, ["group", "part", "sha256"]] = [0, "unlabelled", "0" * 63 + "1"]
    assigned = assign_splits(manifest, HASHED)
    assert assigned["split"].tolist()[1:3] == ["quarantined", "unlabelled"]
    assert assigned["split"][0] == split_of(make_manifest(40)).iloc[0]


# the archive's own test -----------------------------------------------------------------------------------


def test_the_archives_test_stays_and_validation_is_placed_in_its_train() -> None:
    manifest = pd.concat([make_manifest(200), make_manifest(20, "test", seed=1), make_manifest(5, "validation", 2)])
    manifest = manifest.assign(group=range(225)).reset_index(drop=True)
    assigned = assign_splits(manifest, ARCHIVE_HASHED)
    assert (assigned["split"][200:220] == "test").all()
    assert set(assigned["reason"][200:220]) == {"the archive's own test"}
    assert (assigned["split"][220:] == "left").all()
    assert 40 < (assigned["split"][:200] == "validation").sum() < 80
    assert set(assigned["split"][:200]) == {"train", "validation"}


def test_in_the_archives_train_an_accepted_version_is_remembered_too() -> None:
    manifest = pd.concat([make_manifest(50), make_manifest(5, "test", seed=1)]).assign(group=range(55))
    manifest = manifest.reset_index(drop=True)
    kept = {"train": "train", "validation": "validation", "test": split_of(manifest, ARCHIVE_HASHED).iloc[0]}
    for split, expected in kept.items():
        assert assign_splits(manifest, ARCHIVE_HASHED, having(("gone", split, 0)))["split"][0] == expected


@pytest.mark.parametrize(
    ("count", "split", "words"),
    [
        (2, HASHED, "No image falls to .*: 2 groups of near-duplicates are few for these shares. .*'stratified'"),
        (40, ARCHIVE_HASHED, "The archive has no test part.*'hashed' draws all three"),
        (0, HASHED, "No image falls to train"),
    ],
)
def test_too_few_images_for_the_shares_are_refused(count: int, split: Split, words: str) -> None:
    with pytest.raises(PodiumError, match=words):
        assign_splits(make_manifest(count), split)
