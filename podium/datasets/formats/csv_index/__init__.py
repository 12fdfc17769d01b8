"""Image files, and CSV tables with the path and the label of each."""
