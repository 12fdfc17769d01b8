"""Image files, and the box and label of every object in one JSON a part, as COCO has it."""
