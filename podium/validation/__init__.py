"""What must hold before a dataset is used: a manifest with one row a picture, and expectations on it."""
