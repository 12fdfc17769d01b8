"""One image: decoded, resized, measured, hashed; and many of them in parallel."""
