"""Models at work outside of podium: do they serve, do they say what they said, how fast and in how much memory."""
