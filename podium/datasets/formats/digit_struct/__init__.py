"""Street View House Numbers: whole photographs, and the box and label of every digit."""
