"""Read the boxes of Street View House Numbers with h5py, image by image, as it is usually written.

python read_digit_struct.py DIGIT_STRUCT_MAT
"""

import sys

import h5py

images = []
with h5py.File(sys.argv[1], "r") as file:
    names, boxes = file["digitStruct"]["name"], file["digitStruct"]["bbox"]
    for row in range(len(names)):
        name = "".join(chr(letter) for letter in file[names[row, 0]][:].ravel())
        group = file[boxes[row, 0]]
        image = {"filename": name}
        for field in ("height", "label", "left", "top", "width"):
            numbers = group[field]
            if len(numbers) == 1:
                image[field] = [numbers[0, 0]]
            else:
                image[field] = [file[numbers[digit, 0]][0, 0] for digit in range(len(numbers))]
        images.append(image)
