"""Prepare pictures as the published gray networks did: OpenCV, a Python loop, a list, then one array of fractions.

python opencv_loop.py FOLDER_OF_PICTURES
"""

import sys
from pathlib import Path

import cv2
import numpy as np

images, labels = [], []
for path in sorted(Path(sys.argv[1]).iterdir()):
    picture = cv2.imread(str(path))
    picture = cv2.cvtColor(cv2.resize(picture, (100, 100)), cv2.COLOR_BGR2GRAY).reshape(100, 100, 1)
    images.append(picture)
    labels.append(path.name.startswith("dog"))
images = np.array(images).astype(float) / 255
print(images.shape, len(labels))
