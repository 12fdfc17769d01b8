"""What must hold before a dataset is used: a manifest with one row an image, and expectations on it."""
