"""Whether what is asked of a champion is what it was accepted on: requests beside the images that measured it."""
