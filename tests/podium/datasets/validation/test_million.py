"""A large manifest is looked at in a process of its own, whose memory is bounded; `make soak` takes a million rows."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.makers import REPOSITORY

pytestmark = pytest.mark.slow

SCRIPT = """
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from podium.config.datasets import ArchiveDrawnSplit
from podium.datasets.validation.inspection import inspect_dataset
from podium.datasets.validation.manifest import SEEN, as_seen, load_manifest, save_manifest
from podium.datasets.validation.report import write_page
from podium.datasets.validation.saving import save_inspection, summarise
from tests.makers import CLASSES, NO_REVIEW, make_dataset, make_validation, peak_memory

ROWS, COPIES = int(sys.argv[2]), 1000
generator = np.random.default_rng(0)
words = generator.integers(0, 256, (ROWS, 32), dtype=np.uint8)
words[-COPIES:] = words[:COPIES]  # the last thousand, of test, look like the first thousand, of train
words[-COPIES:, 31] ^= 1
hashes = words.tobytes().hex()
rows = np.arange(ROWS)
measures = {name: generator.normal(100, 20, ROWS).clip(0, 255).astype(np.float32) for name in
            ("brightness", "contrast", "sharpness", "red", "green", "blue")}
seen = pd.DataFrame({
    "id": [f"folder/{row}.jpg" for row in rows],
    "part": pd.Series(np.where(rows < ROWS * 0.9, "train", "test"), dtype="str"),
    "label": pd.Series(np.array([*CLASSES])[rows % 3], dtype="str"),
    "format": "JPEG", "mode": "RGB", "height": 100, "width": 120, "channels": 3, "bytes": 9000,
    "darkest": 0, "brightest": 255, **measures,
    "hash": [hashes[start : start + 64] for start in range(0, len(hashes), 64)],
    "sha256": [f"{row:064x}" for row in rows],
    "box_left": np.nan, "box_top": np.nan, "box_width": np.nan, "box_height": np.nan,
    "notice": pd.Series(pd.NA, index=rows, dtype="str"), "fault": pd.Series(pd.NA, index=rows, dtype="str"),
})[SEEN]
split = ArchiveDrawnSplit(kind="archive_drawn", test_from="test", validation=0.1, stratify=True, seed=0)
dataset = make_dataset(split=split, validation=make_validation(duplicate_distance=40))
folder = Path(sys.argv[1])
accepted = as_seen(seen[: ROWS // 2])
found = inspect_dataset("many", dataset, seen, NO_REVIEW, accepted)
save_inspection(found, folder)
write_page(found, {}, folder / "index.html")
save_manifest(found.manifest, folder / "manifest.parquet")
assert len(load_manifest(folder / "manifest.parquet", ["id"])) == ROWS
leaks = summarise(found)["leaks"]
assert leaks["near"] >= 0.99 * COPIES, leaks
assert leaks["near"] <= COPIES, leaks
assert len(found.drift.added) == ROWS // 2
assert (folder / "index.html").stat().st_size < 2_000_000
assert peak_memory() < float(sys.argv[3]), peak_memory()
"""


@pytest.mark.parametrize(
    ("rows", "gigabytes"), [(50_000, 1), pytest.param(1_000_000, 4, marks=pytest.mark.soak, id="a million")]
)
def test_many_rows_are_no_trouble(tmp_path: Path, rows: int, gigabytes: int) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path), str(rows), str(gigabytes * 1e9)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
