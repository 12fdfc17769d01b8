"""Many candidates at once: trained side by side on Dask, restored here by DVC, and ranked."""
