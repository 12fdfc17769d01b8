"""The app of `podium serve`: a page on which people ask the champion about images, and say whether it is right."""
