"""A bare loop that decodes every image of a folder, on every core, and does nothing with it.

python decode_loop.py opencv|pillow FOLDER_OF_IMAGES
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

paths = sorted(Path(sys.argv[2]).iterdir())

if sys.argv[1] == "opencv":
    import cv2
    import numpy as np

    cv2.setNumThreads(1)

    def decode(path: Path) -> None:
        cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)

else:
    from PIL import Image

    def decode(path: Path) -> None:
        with Image.open(path) as image:
            image.load()


with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
    print(sum(1 for _ in pool.map(decode, paths, chunksize=64)))
