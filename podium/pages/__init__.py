"""What reports share: HTML, plots, thumbnails, Markdown. They take arrays and tables, and know no dataset."""
