"""The archive that a dataset arrived in: one zip, kept as it came, read file by file and never spread on the disk.

Archives inside it (`train.zip`, `images.tar.gz`, `test.7z`) are read as if they were folders:
`train.zip/train/cat.0.jpg`. Whoever made it is a stranger, so all that its table of contents says is checked before
anything is read.
"""

from podium.datasets.archive.folders import pack_folder
from podium.datasets.archive.kinds import START_BYTES, explain, is_tar, kind_of
from podium.datasets.archive.names import clean
from podium.datasets.archive.packing import pack_files
from podium.datasets.archive.reading import ARCHIVE, NESTED, TARS, Archive, DamagedFile
from podium.datasets.archive.zips import check_zip

__all__ = [
    "ARCHIVE",
    "NESTED",
    "START_BYTES",
    "TARS",
    "Archive",
    "DamagedFile",
    "check_zip",
    "clean",
    "explain",
    "is_tar",
    "kind_of",
    "pack_files",
    "pack_folder",
]
