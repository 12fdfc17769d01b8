"""Sticky splits: a thousand random changes to a dataset, and no image or near-duplicate of one that changes sides."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from podium.config.datasets import ArchiveHashedSplit, HashedSplit, Split
from podium.datasets.arrays import SPLITS
from podium.datasets.splits import assign_splits
from podium.datasets.validation.duplicates import find_pairs, group
from podium.datasets.validation.manifest import COLUMNS
from podium.datasets.validation.places import add_gone, link
from podium.images.phash import flipped, unpack

DISTANCE = 24
HASHED = HashedSplit(kind="hashed", validation=0.2, test=0.2, seed=0)
ARCHIVE_HASHED = ArchiveHashedSplit(kind="archive_hashed", test_from="test", validation=0.3, seed=0)


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
        if len(self.rows) > 30:
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
        pairs = find_pairs(unpack(table["hash"].iloc[usable]), DISTANCE)
        groups = np.arange(len(table))
        groups[usable] = usable[group(len(usable), pairs)]
        return table.assign(group=groups).reindex(columns=COLUMNS)


def make_world(seed: int = 0, images: int = 60) -> World:
    world = World(np.random.default_rng(seed))
    for _ in range(images):
        world.add()
    return world


def split_as_validation_does(manifest: pd.DataFrame, split: Split, accepted: pd.DataFrame | None) -> pd.DataFrame:
    places = None
    grouped = manifest
    if accepted is not None:
        groups, places = link(manifest, accepted, DISTANCE)
        grouped = manifest.assign(group=groups)
    assigned = assign_splits(grouped, split, places)
    return manifest.assign(split=assigned["split"], reason=assigned["reason"])


def versions(world: World, count: int, *, remembered: bool) -> Iterator[pd.DataFrame]:
    """Give the manifest after each of so many changes, each accepted if they are to be remembered."""
    accepted: pd.DataFrame | None = None
    for _ in range(count):
        manifest = split_as_validation_does(world.manifest(), HASHED, accepted)
        if remembered:
            accepted = manifest if accepted is None else add_gone(manifest, accepted)
        yield manifest
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
        one, other = hashes[:, np.newaxis], self.hashes[np.newaxis]
        bits = [np.bitwise_count(each).sum(axis=-1) for each in (one ^ other, flipped(one) ^ other)]
        near = np.minimum(*bits) <= DISTANCE
        return int((near & (splits[:, np.newaxis] != self.splits)).sum())


def test_after_a_thousand_changes_no_image_and_no_near_duplicate_of_one_is_on_another_side() -> None:
    sides, between, used = Sides(), 0, 0
    for manifest in versions(make_world(), 1000, remembered=True):
        assert sides.crossings(manifest) == 0
        between += (manifest["split"] == "left").sum()
        used += manifest["split"].isin(SPLITS).sum()
    print(between, used, len(sides.hashes))
    assert 0 < between < 0.1 * used, "images that are like images of two splits are in none, and they are few"


def test_content_alone_cannot_promise_as_much() -> None:
    """Decision 0023: a rule that knows today's images only either parts near-duplicates or moves some of them."""
    sides = Sides()
    assert sum(sides.crossings(manifest) for manifest in versions(make_world(), 300, remembered=False)) > 0
