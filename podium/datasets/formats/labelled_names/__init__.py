"""Image files whose names begin with their class."""
