"""MNIST's own files: the pixels of all images in one file, their labels in another."""
