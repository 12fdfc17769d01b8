"""What the formats share whose annotations tell every object of an image: which of them labels the image."""
