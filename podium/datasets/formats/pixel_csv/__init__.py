"""CSV tables with one image a row, pixel by pixel."""
