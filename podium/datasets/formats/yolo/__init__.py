"""Image files, and the box and class number of every object in one text file an image, as YOLO has it."""
