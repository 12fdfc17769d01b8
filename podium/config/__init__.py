"""The params page, `params.yaml`, as frozen dataclasses: whatever exists is valid."""

from podium.config.datasets import Dataset, Image
from podium.config.gates import Gate
from podium.config.loading import load_params
from podium.config.params import Candidate, Params
from podium.config.schedules import Augmentation, Phase, Schedule

__all__ = ["Augmentation", "Candidate", "Dataset", "Gate", "Image", "Params", "Phase", "Schedule", "load_params"]
