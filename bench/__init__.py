"""Benches: what the pipeline costs beside doing the same by hand. `python -m bench --help` shows them."""
