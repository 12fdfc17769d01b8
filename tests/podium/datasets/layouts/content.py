"""What an archive is to hold, and what is true of it, while a layout is drawn."""

import hashlib
import io
import random
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

Truth = dict[str, tuple[str | None, str | None]]
"""Of each image file's sha256, its label and its part; None where any is right."""
UNLABELLED = (None, "unlabelled")
FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "JPG": "JPEG", "png": "PNG", "PNG": "PNG", "bmp": "BMP"}


@dataclass
class Content:
    """The files of an archive, in order.

    Attributes:
        random: where all that is chosen comes from.
        files: their bytes by their paths.
        truth: of each image file that belongs to the dataset.
        paths: the path of each of them.
        traits: what was chosen, in words for people.
        labels, parts: labels and parts, by sha256, that are right instead if all of them are.
    """

    random: random.Random
    files: dict[str, bytes] = field(default_factory=dict)
    truth: Truth = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    traits: list[str] = field(default_factory=list)
    labels: list[dict[str, str]] = field(default_factory=list)
    parts: list[dict[str, str]] = field(default_factory=list)

    def chance(self, share: float) -> bool:
        """Draw yes with this share."""
        return self.random.random() < share

    def image(self, path: str, label: str | None, part: str | None) -> str:
        """Add an image file that belongs to the dataset; give its sha256."""
        content = draw_image(self.random, path.rpartition(".")[2])
        return self.add(path, content, label, part)

    def add(self, path: str, content: bytes, label: str | None, part: str | None) -> str:
        """Add a file that a person would count among the dataset's images; give its sha256."""
        digest = hashlib.sha256(content).hexdigest()
        assert path not in self.files, path
        self.files[path] = content
        self.truth[digest] = (label, part)
        self.paths[digest] = path
        return digest

    def other_image(self, path: str) -> None:
        """Add an image file that is no image of the dataset, such as a mask."""
        self.files[path] = draw_image(self.random, path.rpartition(".")[2], gray=True)

    def truths(self) -> list[Truth]:
        """Give all that is right: the likeliest first."""
        return [
            {
                sha: (labels.get(sha, label) if label is not None else None, parts.get(sha, part))
                for sha, (label, part) in self.truth.items()
            }
            for labels in ({}, *self.labels)
            for parts in ({}, *self.parts)
        ]

    def write(self, path: Path) -> None:
        """Write the archive; the same content gives the same bytes."""
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in self.files.items():
                archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), content)


def draw_image(draw: random.Random, ending: str, *, gray: bool = False) -> bytes:
    """Draw noise of 8–24 pixels a side: no two images are alike."""
    width, height = draw.randint(8, 24), draw.randint(8, 24)
    mode, channels = ("L", 1) if gray else ("RGB", 3)
    content = io.BytesIO()
    Image.frombytes(mode, (width, height), draw.randbytes(width * height * channels)).save(
        content, FORMATS.get(ending, "JPEG")
    )
    return content.getvalue()
