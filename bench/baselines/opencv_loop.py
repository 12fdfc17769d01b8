"""Prepare images as the published gray networks did: OpenCV, a Python loop, a list, then one array of fractions.

python opencv_loop.py FOLDER_OF_IMAGES
"""

import sys
from pathlib import Path

import cv2
import numpy as np

images, labels = [], []
for path in sorted(Path(sys.argv[1]).iterdir()):
    image = cv2.imread(str(path))
    image = cv2.cvtColor(cv2.resize(image, (100, 100)), cv2.COLOR_BGR2GRAY).reshape(100, 100, 1)
    images.append(image)
    labels.append(path.name.startswith("dog"))
images = np.array(images).astype(float) / 255
print(images.shape, len(labels))
