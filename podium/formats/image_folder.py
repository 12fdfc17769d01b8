"""Picture files in one folder a class, as most image sets on Kaggle are laid out.

    training/cat/0001.jpg      folders: train: training
    training/dog/a/0002.JPEG            test: validation
    validation/cat/7.png

The class is the first folder below the part's folder, however deep the picture lies.
"""

from collections.abc import Iterator
from pathlib import Path

from podium.archive import Archive
from podium.config.tables import ImageFolderFormat
from podium.formats.example import Example
from podium.formats.picture_files import UNLABELLED, find_pictures, load


def read(raw: Path, layout: ImageFolderFormat) -> Iterator[Example]:
    """Read the parts one after the other. See `podium.formats.read`."""
    with Archive(raw) as archive:
        for part, path, name in find_pictures(archive, layout.folders):
            if part == UNLABELLED:
                yield load(archive, name, part, "")
            elif len(path.parts) == 1:
                yield Example(name, part, "", None, "it lies in no class's folder")
            else:
                yield load(archive, name, part, path.parts[0])
