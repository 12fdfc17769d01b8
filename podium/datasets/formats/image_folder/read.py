"""Image files in one folder a class, as most image sets on Kaggle are laid out.

    training/cat/0001.jpg      folders: train: training
    training/dog/a/0002.JPEG            test: validation
    validation/cat/7.png

The class is the first folder below the part's folder, however deep the image lies; or the last; or what the `*` of
`*/train` stands for.
"""

from collections.abc import Iterator
from pathlib import Path

from podium.config.datasets import ImageFolderFormat
from podium.datasets.archive import Archive
from podium.datasets.formats.example import Example
from podium.datasets.formats.image_files import UNLABELLED, find_images, load


def read(raw: Path, layout: ImageFolderFormat) -> Iterator[Example]:
    """Read the parts one after the other. See `formats.read`."""
    with Archive(raw) as archive:
        for part, path, name in find_images(archive, layout.folders, layout.exclude or ()):
            if part == UNLABELLED:
                yield load(archive, name, part, "")
            elif "/" not in path:
                yield Example(name, part, "", None, "it lies in no class's folder")
            else:
                yield load(archive, name, part, path.split("/")[-2 if layout.class_folder == "last" else 0])
