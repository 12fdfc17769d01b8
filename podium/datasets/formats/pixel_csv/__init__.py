"""CSV tables with one image a row."""
