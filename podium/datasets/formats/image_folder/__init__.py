"""Image files in one folder a class."""
