"""The archive that a dataset arrived in: one zip, kept as it came, read file by file and never spread on the disk.

Archives inside it (`train.zip`, `images.tar.gz`) are read as if they were folders: `train.zip/train/cat.0.jpg`.
Whoever made it is a stranger, so all that its table of contents says is checked before anything is read.
"""

from podium.datasets.archive.packing import pack_files, pack_folder
from podium.datasets.archive.reading import ARCHIVE, NESTED, TARS, Archive, DamagedFile
from podium.datasets.archive.zips import check_zip

__all__ = ["ARCHIVE", "NESTED", "TARS", "Archive", "DamagedFile", "check_zip", "pack_files", "pack_folder"]
