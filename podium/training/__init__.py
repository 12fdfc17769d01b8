"""Training: the phases of a schedule, fed from memory-mapped arrays."""
