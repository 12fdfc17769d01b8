"""The page a user edits, `params.yaml`, as frozen dataclasses that are valid once they exist."""

from podium.config.page import Page, load_params
from podium.config.tables import Augmentation, Candidate, Dataset, Image, Phase, Schedule

__all__ = ["Augmentation", "Candidate", "Dataset", "Image", "Page", "Phase", "Schedule", "load_params"]
