"""Near-duplicates: bit-sampling LSH over perceptual hashes, so that not every image is compared with every other.

Own code: ten times as fast as faiss's exact index, and finds more than its approximate ones (decision 0014).
The hashes are sorted by some of their bits, drawn by lot and taken in the order of the draw, and each is compared
with those that follow it, on every processor. Two near-duplicates agree in the first dozen bits of one draw or another.
The method: Charikar, Similarity estimation techniques from rounding algorithms, 2002,
https://doi.org/10.1145/509907.509965.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from podium.images.parallel import count_processors
from podium.images.phash import flipped

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]
Draw = tuple[Rows, Words, list[Words]]
"""What `_draw` gives."""

FULL_DISTANCE_BITS, MAX_DRAWS = 64, 200
"""At this distance so many draws: among 100,000 crops and copies of photographs they find 8,720 of the 8,721 pairs."""
MIN_DRAWS = 50
"""Draws at smaller distances, whose pairs are easier to find."""
DRAWN_BITS = 32
"""Bits that are drawn; the last ones only put hashes in order that agree in all before."""
COMPARED_FOLLOWERS = 24
"""In each draw's order a hash is compared with so many that follow it."""
MAX_TWINS = 64
"""Twins: two images of one group that have so many each are compared no more."""
BLOCK_HASHES = 1024
"""Hashes that are compared with their followers at a time; all of it fits a processor's cache."""
MAX_PARTS = 16
"""Of an order, compared in threads: NumPy leaves Python's lock alone while it counts bits."""
SLACK_BITS = 5
"""Bits of the lowest frequencies in which a pair may differ beyond their share; they are the steadiest of all."""

_ODD = np.uint64(0x5555555555555555)
"""The bits of each word of a hash that change when left and right are exchanged."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of near-duplicates, sorted by their rows.

    Of images with equal hashes only the first is paired with images of other hashes; each of the rest is paired
    with that first one alone. `group` and `nearest_twin` see through this.

    Attributes:
        first: (pairs,) rows.
        second: (pairs,) rows, each greater than its `first`.
        distance: (pairs,) bits of the hashes that differ, 0–256.
        flipped: (pairs,) True where only one of the two with left and right exchanged is that near to the other.
    """

    first: Rows
    second: Rows
    distance: NDArray[np.int64]
    flipped: Flags


def find_pairs(hashes: Words, distance: int) -> Pairs:
    """Find near-duplicates, as they are or with left and right exchanged.

    Every pair that is given is within the distance; of the pairs that are, a few are missing, more of them the
    greater the distance. Time and memory grow with n alone: a hash is compared with 24 others in each of 200 orders,
    and two that have 64 twins each and are in one group already are not paired. The order of the images does not
    matter.

    Args:
        hashes: (n, 4) uint64, perceptual hashes.
        distance: the number of bits, 0–256, by which a pair's hashes differ at most. Made for up to 64.

    Returns:
        The pairs. The same hashes always give the same.
    """
    order = np.lexsort(hashes.T)
    ordered = hashes[order]
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    distinct, rows = ordered[new], order[new]
    one, other = _meet(distinct, distance)
    direct, turned = _differences(distinct, one, other)
    first = np.concatenate([np.minimum(rows[one], rows[other]), rows[np.cumsum(new)[~new] - 1]])
    second = np.concatenate([np.maximum(rows[one], rows[other]), order[~new]])
    nearest = np.concatenate([np.minimum(direct, turned), np.zeros(len(first) - len(one), dtype=np.int64)])
    exchanged = np.concatenate([turned < direct, np.zeros(len(first) - len(one), dtype=bool)])
    sort = np.lexsort((second, first))
    return Pairs(first[sort], second[sort], nearest[sort], exchanged[sort])


def group(count: int, pairs: Pairs) -> Rows:
    """Put images into groups that pairs link, directly or through others.

    Args:
        count: the number of images.
        pairs: pairs of them.

    Returns:
        (count,) the first row of each image's group; its own if it is alone.
    """
    labels = _link(np.arange(count), pairs.first, pairs.second)
    return np.unique(labels, return_index=True)[1][labels]


def nearest_twin(pairs: Pairs, count: int, wanted: Flags, among: Flags) -> tuple[Rows, Rows, NDArray[np.int64], Flags]:
    """Find the nearest twin of each wanted image, such as the one in train of each test image.

    Where an image has more than 64 twins it is the nearest of those that it was paired with.

    Args:
        pairs: pairs, all that `find_pairs` gave.
        count: the number of images.
        wanted: (count,) True for the images that may have a twin.
        among: (count,) True for the images that may be one; those that are wanted themselves are left out.

    Returns:
        (k,) rows of the wanted images that have a twin, ascending; (k,) the rows of their twins, the first of those
        equally near; (k,) the distances in bits; (k,) True where it is only near with left and right exchanged.
    """
    equal = np.arange(count)  # the first image with the same hash
    same = (pairs.distance == 0) & ~pairs.flipped
    equal[pairs.second[same]] = pairs.first[same]
    some = np.flatnonzero(among & ~wanted)
    twin = _first_of(equal[some], some, count)  # of each hash
    one = np.concatenate([pairs.first, pairs.second, np.arange(count)])
    other = np.concatenate([pairs.second, pairs.first, np.arange(count)])
    distance = np.concatenate([pairs.distance, pairs.distance, np.zeros(count, dtype=np.int64)])
    turned = np.concatenate([pairs.flipped, pairs.flipped, np.zeros(count, dtype=bool)])
    links = np.flatnonzero(twin[other] >= 0)
    links = links[np.lexsort((twin[other[links]], turned[links], distance[links]))]
    link = _first_of(one[links], links, count)[equal]
    rows = np.flatnonzero(wanted & (link >= 0))
    return rows, twin[other[link[rows]]], distance[link[rows]], turned[link[rows]]


def _first_of(keys: Rows, values: Rows, count: int) -> Rows:
    """Give (count,) the first value of each key, -1 where there is none."""
    first = np.full(count, -1)
    first[keys[::-1]] = values[::-1]
    return first


def _link(labels: Rows, first: Rows, second: Rows) -> Rows:
    """Give the labels (n,) of groups, 0 to their number - 1, after pairs of rows were linked."""
    links = coo_array((np.ones(len(first), dtype=bool), (labels[first], labels[second])), shape=(len(labels),) * 2)
    joined: Rows = connected_components(links, directed=False)[1].astype(np.int64)
    return joined[labels]


def _meet(hashes: Words, distance: int) -> tuple[Rows, Rows]:
    """Give the rows of the near pairs of distinct hashes, (pairs,) each, each pair once."""
    n = len(hashes)
    found = np.empty(0, dtype=np.int64)  # row · n + greater row, sorted
    labels, twins = np.arange(n), np.zeros(n, dtype=np.int64)
    draws = max(MIN_DRAWS, MAX_DRAWS * distance // FULL_DISTANCE_BITS)
    ends = np.linspace(0, n, 1 + min(MAX_PARTS, max(1, n // BLOCK_HASHES))).astype(int)
    with ThreadPoolExecutor(count_processors()) as pool:
        for draw in _ahead(_draw(hashes, draws)):
            compare = partial(_compare, draw, distance, found, labels, twins >= MAX_TWINS)
            codes = np.concatenate([*pool.map(compare, ends[:-1], ends[1:])])
            if not len(codes):
                continue
            one, other = np.divmod(codes, n)
            twins += np.bincount(one, minlength=n) + np.bincount(other, minlength=n)
            labels = _link(labels, one, other)
            found = np.sort(np.concatenate([found, codes]))
    return np.divmod(found, max(n, 1))


def _compare(draw: Draw, distance: int, found: Rows, labels: Rows, full: Flags, begin: int, end: int) -> Rows:
    """Give the near pairs (pairs,), as in `_meet`, of one part of a draw that are not among those found before."""
    order, low, words = draw
    n, new, is_any_full = len(order), [found[:0]], bool(full.any())
    for here, there in _candidates(low, distance // 4 + SLACK_BITS, begin, end):
        if is_any_full:
            one, other = order[here], order[there]
            unsettled = ~(full[one] & full[other]) | (labels[one] != labels[other])
            here, there = here[unsettled], there[unsettled]
        near = _count(*(word[here] ^ word[there] for word in words)) <= distance
        one, other = order[here[near]], order[there[near]]
        codes = np.minimum(one, other) * n + np.maximum(one, other)
        if len(found):
            codes = codes[found[np.searchsorted(found, codes) % len(found)] != codes]
        new.append(codes)
    return np.concatenate(new)


def _ahead(draws: Iterator[Draw]) -> Iterator[Draw]:
    """Give draws, of which the next is made in a thread while one is at work."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, draws, None)
        while (draw := following.result()) is not None:
            following = pool.submit(next, draws, None)
            yield draw


def _draw(hashes: Words, draws: int) -> Iterator[Draw]:
    """Sort the hashes by bits drawn by lot, again and again.

    A hash takes part as it is or with left and right exchanged, whichever has no 1 at one of the drawn bits that
    change then: an image and its mirror image get the same place.

    Yields:
        The rows (n,) in order; in that order, the 8 × 8 lowest frequencies (n,) and the words of the hash, (n,) each.
    """
    octets = hashes.astype(">u8").view(np.uint8).reshape(-1, 16, 2)[:, :8, 0]
    planes = np.ascontiguousarray(np.unpackbits(octets, axis=1).T)  # (64, n)
    low = np.ascontiguousarray(octets).view(">u8").astype(np.uint64).ravel()
    words = np.ascontiguousarray(hashes.T)
    rows = np.arange(len(hashes), dtype=np.uint64)
    generator = np.random.default_rng(0)
    for _ in range(draws):
        drawn = 1 + generator.permutation(63)[:DRAWN_BITS]
        exchanged = planes[drawn[drawn % 2 == 1][0]]
        keys = np.zeros(len(hashes), dtype=np.uint32)
        for bit in drawn:
            keys <<= 1
            keys |= planes[bit] ^ exchanged if bit % 2 else planes[bit]
        order = (np.sort(keys.astype(np.uint64) << 32 | rows) & 0xFFFFFFFF).astype(np.int64)
        change = exchanged[order] * _ODD
        yield order, low[order] ^ change, [word[order] ^ change for word in words]


def _candidates(low: Words, limit: int, begin: int, end: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield the places (pairs,) of hashes and of followers of theirs that differ in so many low bits at most.

    Args:
        low: (n,) the lowest frequencies, in order.
        limit: the number of bits.
        begin: the place of the first hash to look at.
        end: the place after the last one; its followers may lie behind.
    """
    n = len(low)
    followers = sliding_window_view(np.pad(low, (0, COMPARED_FOLLOWERS)), COMPARED_FOLLOWERS)[1:]
    for start in range(begin, end, BLOCK_HASHES):
        block = low[start : min(start + BLOCK_HASHES, end), np.newaxis]
        near = np.flatnonzero(np.bitwise_count(block ^ followers[start : start + len(block)]) <= limit)
        here = near // COMPARED_FOLLOWERS + start
        there = here + near % COMPARED_FOLLOWERS + 1
        yield here[there < n], there[there < n]


def _differences(hashes: Words, one: Rows, other: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the bits (pairs,) in which pairs differ as they are, and with one's left and right exchanged."""
    different = hashes[one] ^ hashes[other]
    return _count(*different.T), _count(*flipped(different).T)


def _count(*words: Words) -> NDArray[np.int64]:
    """Count the ones in words, (n,) each, all words together."""
    count = np.zeros(words[0].shape, dtype=np.int64)
    for word in words:
        count += np.bitwise_count(word)
    return count
