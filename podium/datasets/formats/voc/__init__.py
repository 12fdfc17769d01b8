"""Image files, and the box and label of every object in one XML file an image, as Pascal VOC has it."""
