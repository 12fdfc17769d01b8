"""Proof: whether a version is what its records say, whether it can be built again, and that it stays what it is."""
