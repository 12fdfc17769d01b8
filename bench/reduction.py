"""How much a JPEG decoded at a fraction of its size differs: `python -m bench.reduction ARCHIVE` prints one line.

A process of its own, because benches import nothing heavy: a measured process begins with its parent's peak.
"""

import io
import sys
import zipfile

import numpy as np
from PIL import Image as Pillow

from podium.config.datasets import Image
from podium.images.decoding import decode
from podium.images.fitting import fit

SIZE = Image(height=100, width=100, channels=1, resize="stretch")


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as outer:
        inner = zipfile.ZipFile(io.BytesIO(outer.read("train.zip")))
    differences = []
    for name in inner.namelist():
        if name.endswith(".jpg"):
            data = inner.read(name)
            whole = Pillow.open(io.BytesIO(data))
            reduced = decode(data, SIZE, whole.size).astype(int)
            full = fit(np.asarray(whole.convert("L"))[..., np.newaxis], SIZE)
            differences.append(np.abs(reduced - full).mean())
    print(f"{np.mean(differences):.1f} of 255 ({np.min(differences):.1f}–{np.max(differences):.1f})")


if __name__ == "__main__":
    main()
