"""Finding images that look the same: 100,000 hashes against comparing all pairs, and what is found of known copies.

Ours is `find_pairs` of podium's validation at 64 bits. The other is the loop that one would write: each hash
against all that follow, as it is and flipped, with NumPy's `bitwise_count`; it finds every pair, so that ours is
measured against it. The hashes are those of some 90,000 crops of real photographs, turned by up to 25° and half of them
flipped, and of 10,000 copies of such crops, of the kinds in the last rows. Both are whole processes, NumPy's import
included. For the last rows every real photograph is copied, one kind at a time: recall is the share of the copies that
are paired with their image, precision the share of the pairs that are such.

The million are hashes drawn by lot, and copies of 10,000 of them in which 1 to 64 bits are turned: nothing else is
alike, so recall is the share of the copies that are paired with their original.
"""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.measure import Cost, interleave
from bench.options import Options
from bench.report import Row, compare, seconds
from bench.workspace import ROOT, Workspace, sample, workspace

DURATION = "About seven minutes"

ARCHIVE = "kaggle/competitions/dogs-vs-cats.zip"
CROPS = 45
"""Of each photograph."""
COPIES = 10_000
"""Of crops."""
SIDE = 192
DISTANCE = 64
SECONDS = 10
LIMIT = 1e9
"""Bytes of memory."""
MANY, MANY_SECONDS, MANY_LIMIT = 1_000_000, 60, 2e9
"""Hashes; seconds and bytes for them."""


def measure(options: Options) -> list[Row]:
    """Make hashes, find their pairs both ways, then look for copies."""
    archive = str(sample(ARCHIVE))
    with workspace() as project:
        hashes, mine, all_pairs = (str(project.root / f"{name}.npy") for name in ("hashes", "mine", "all"))
        project.run("python", "-m", "bench.duplicates", "make", archive, hashes)
        ours, other = interleave(
            lambda: project.run("python", "-m", "bench.duplicates", "find", hashes, mine),
            lambda: project.run("python", "-m", "bench.duplicates", "compare", hashes, all_pairs),
            options.repeat(1),
            warm_up=False,
        )
        found = ask("count", mine, all_pairs)
        million = [find_million(project) for _ in range(options.repeat(1))]
    slowest, peak = max(cost.wall for cost in ours), max(cost.peak for cost in ours)
    return [
        compare(f"some 100,000 hashes, pairs within {DISTANCE} bits", ours, other),
        Row("the same, seconds", f"{slowest:.1f} s", target=f"at most {SECONDS} s", reached=slowest <= SECONDS),
        Row("peak memory", megabytes(ours), megabytes(other), target="at most 1 GB", reached=peak <= LIMIT),
        Row("pairs", f"{found['ours']:,}", f"{found['all']:,}"),
        Row("of them found", f"{found['recall']:.2%}", "100 %", "–", "at least 99.5%", found["recall"] >= 0.995),
        *(Row(f"... at {bits} bits", f"{share:.2%}") for bits, share in found["by_distance"].items()),
        *describe_million([cost for cost, _ in million], million[0][1]),
        *(
            Row(f"copies {kind}: recall, precision", f"{recall:.2%}, {precision:.2%}")
            for kind, (recall, precision) in ask("copies", archive).items()
        ),
    ]


def find_million(project: Workspace) -> tuple[Cost, Any]:
    """Find the pairs of a million hashes, in a process of its own, and what of the copies is among them."""
    hashes, pairs = (str(project.root / f"million-{name}.npy") for name in ("hashes", "pairs"))
    project.run("python", "-m", "bench.duplicates", "draw", hashes)
    cost = project.run("python", "-m", "bench.duplicates", "find", hashes, pairs)
    return cost, ask("recall", hashes, pairs)


def describe_million(costs: Sequence[Cost], recall: dict[str, float]) -> list[Row]:
    slowest, peak = max(cost.wall for cost in costs), max(cost.peak for cost in costs)
    return [
        Row(
            f"{MANY:,} hashes, seconds",
            seconds([cost.wall for cost in costs]),
            target=f"at most {MANY_SECONDS} s",
            reached=slowest <= MANY_SECONDS,
        ),
        Row("peak memory of it", megabytes(costs), target="at most 2 GB", reached=peak <= MANY_LIMIT),
        *(Row(f"copies of it that are found, at {bits} bits", f"{share:.2%}") for bits, share in recall.items()),
    ]


def ask(*arguments: str) -> Any:
    """Run this module's part that prints what it found."""
    command = [sys.executable, "-m", "bench.duplicates", *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def megabytes(costs: Sequence[Cost]) -> str:
    return f"{max(cost.peak for cost in costs) / 1e6:,.0f} MB"


# What follows runs in processes of its own and imports what is heavy there: a process begins with its parent's peak.


def make(archive: str, path: str) -> None:
    """Write the hashes, each once: crops, and copies of some of them."""
    import cv2
    import numpy as np

    generator = np.random.default_rng(0)
    crops = []
    for image in photographs(archive):
        height, width = image.shape
        for _ in range(CROPS):
            part = generator.uniform(0.35, 0.75)
            x, y = generator.uniform(part / 2, 1 - part / 2, 2) * (width, height)
            turn = cv2.getRotationMatrix2D((x, y), generator.uniform(-25, 25), SIDE / (part * width))
            turn[:, 2] += SIDE / 2 - np.array([x, y])
            crop = cv2.warpAffine(image, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
            crops.append(crop[:, :: generator.choice([-1, 1])])
    changes = [*kinds().values()]
    copied = [changes[row % len(changes)](crops[row]) for row in generator.permutation(len(crops))[:COPIES]]
    np.save(path, generator.permutation(np.unique(hash_all(crops + copied), axis=0)))


def draw(path: str) -> None:
    """Write a million hashes and copies of some, copy after copy at the end, each with some bits turned."""
    import numpy as np

    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**64, (MANY - COPIES, 4), dtype=np.uint64)
    copied = hashes[:COPIES].copy()
    for row, bits in enumerate(turned_bits()):
        for bit in generator.permutation(256)[:bits]:
            copied[row, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    np.save(path, np.concatenate([hashes, copied]))


def turned_bits() -> list[int]:
    """Give in how many bits each copy differs."""
    return [1 + row % DISTANCE for row in range(COPIES)]


def recall(path: str, pairs: str) -> None:
    """Print which share of the copies is found, for each sixteen bits."""
    import numpy as np

    count, found, bits = len(np.load(path, mmap_mode="r")), np.load(pairs), np.array(turned_bits())
    right = np.zeros(COPIES, bool)
    copy = found[1] - (count - COPIES)
    right[copy[(copy >= 0) & (found[0] == copy)]] = True
    bands = {f"{low + 1}–{low + 16}": (bits > low) & (bits <= low + 16) for low in range(0, DISTANCE, 16)}
    print(json.dumps({"1–64": float(right.mean())} | {name: float(right[band].mean()) for name, band in bands.items()}))


def find(hashes: str, path: str) -> None:
    """Write the pairs (3, pairs) that we find: rows and distance."""
    import numpy as np

    from podium.datasets.validation.duplicates import find_pairs

    pairs = find_pairs(np.load(hashes), DISTANCE)
    np.save(path, np.stack([pairs.first, pairs.second, pairs.distance]))


def compare_all(path: str, target: str) -> None:
    """Write all pairs (3, pairs)."""
    import numpy as np

    hashes = np.load(path)
    turned = hashes ^ np.uint64(0x5555555555555555)
    found = []
    for row in range(len(hashes) - 1):
        direct = np.bitwise_count(hashes[row] ^ hashes[row + 1 :]).sum(axis=1)
        exchanged = np.bitwise_count(turned[row] ^ hashes[row + 1 :]).sum(axis=1)
        distance = np.minimum(direct, exchanged)
        near = np.flatnonzero(distance <= DISTANCE)
        found.append(np.stack([np.full(len(near), row), row + 1 + near, distance[near].astype(np.int64)]))
    np.save(target, np.concatenate(found, axis=1))


def count(mine: str, all_pairs: str) -> None:
    """Print how many pairs there are, and which share we found, for each sixteen bits of distance."""
    import numpy as np

    ours, every = np.load(mine), np.load(all_pairs)
    found = np.isin(*((rows[0] << 32) + rows[1] for rows in (every, ours)))
    bands = {f"{low + 1}–{low + 16}": (every[2] > low) & (every[2] <= low + 16) for low in range(0, DISTANCE, 16)}
    by_distance = {bits: float(found[band].mean()) for bits, band in bands.items() if band.any()}
    result = {"ours": ours.shape[1], "all": every.shape[1], "recall": float(found.mean()), "by_distance": by_distance}
    print(json.dumps(result))


def copies(archive: str) -> None:
    """Print recall and precision of each kind of copy; photographs that the archive holds twice are left out."""
    import numpy as np

    from podium.datasets.validation.duplicates import find_pairs

    images = photographs(archive)
    doubles = {*find_pairs(hash_all(images), 16).second.tolist()}
    images = [image for row, image in enumerate(images) if row not in doubles]
    originals = hash_all(images)
    result = {}
    for kind, change in kinds().items():
        pairs = find_pairs(np.concatenate([originals, hash_all([*map(change, images)])]), DISTANCE)
        right = pairs.second - pairs.first == len(images)
        result[kind] = (right.sum() / len(images), right.mean())
    print(json.dumps(result))


def kinds() -> dict[str, Callable[[Any], Any]]:
    """Give what is done to a gray image to make a copy, by name."""
    import cv2

    def save(image: Any) -> Any:
        small = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
        return cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], cv2.IMREAD_GRAYSCALE)

    def crop(image: Any) -> Any:
        top, left = (round(length * 0.025) for length in image.shape)
        return image[top : image.shape[0] - top, left : image.shape[1] - left]

    def rotate(image: Any) -> Any:
        height, width = image.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 3, 1)
        return cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT)

    return {
        "at 70 % of the size, saved again at quality 60": save,
        "made brighter, by 15 % and 15 levels": lambda image: cv2.convertScaleAbs(image, alpha=1.15, beta=15),
        "flipped, then as the first": lambda image: save(image[:, ::-1]),
        "cropped by 5 % of each side, evenly": crop,
        "cropped by 5 % of each side, from one corner": lambda image: image[
            round(image.shape[0] * 0.05) :, round(image.shape[1] * 0.05) :
        ],
        "turned by 3°": rotate,
    }


def hash_all(images: Sequence[Any]) -> Any:
    """Give the hashes (n, 4)."""
    import pandas as pd

    from podium.images.phash import perceptual_hash, unpack

    return unpack(pd.Series([perceptual_hash(image) for image in images]))


def photographs(archive: str) -> list[Any]:
    """Give the archive's images, gray."""
    import cv2
    import numpy as np

    with zipfile.ZipFile(Path(archive)) as outer:
        inner = zipfile.ZipFile(io.BytesIO(outer.read("train.zip")))
    names = sorted(name for name in inner.namelist() if name.endswith(".jpg"))
    return [cv2.imdecode(np.frombuffer(inner.read(name), np.uint8), cv2.IMREAD_GRAYSCALE) for name in names]


PARTS: dict[str, Callable[..., None]] = {
    "make": make,
    "find": find,
    "compare": compare_all,
    "count": count,
    "copies": copies,
    "draw": draw,
    "recall": recall,
}

if __name__ == "__main__":
    PARTS[sys.argv[1]](*sys.argv[2:])
