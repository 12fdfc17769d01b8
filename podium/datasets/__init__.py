"""From an archive to arrays: sources, archives, formats, validation, splits, preprocessing."""
