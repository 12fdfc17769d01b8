"""Read every row of a dataset as the stages do, and throw it away.

python read_rows.py DATASET
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from podium.config import load_params
from podium.datasets.formats import read
from podium.paths import DatasetPaths

name = sys.argv[1]
print(sum(1 for _ in read(DatasetPaths(name).raw, load_params().dataset(name).format)))
