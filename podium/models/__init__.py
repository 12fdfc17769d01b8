"""Models: the zoo, model files, inference."""
