"""Read the two tables of Sign Language MNIST and save their images and labels: the least that can be done.

python read_and_save.py FOLDER_OF_THE_TABLES FOLDER_TO_WRITE
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

tables, arrays = Path(sys.argv[1]), Path(sys.argv[2])
arrays.mkdir(parents=True, exist_ok=True)
for part in ("train", "test"):
    table = pd.read_csv(tables / f"sign_mnist_{part}.csv", engine="c", dtype=np.uint8)
    labels = table.pop("label").to_numpy()
    np.save(arrays / f"{part}_images.npy", table.to_numpy().reshape(-1, 28, 28, 1))
    np.save(arrays / f"{part}_labels.npy", labels)
