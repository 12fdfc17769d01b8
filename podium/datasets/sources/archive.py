"""A zip, a tar or a folder on this disk, laid out as Kaggle delivers it."""

import shutil
from pathlib import Path

from podium.config.datasets import ArchiveSource
from podium.datasets.archive import ARCHIVE, TARS, check_zip, pack_files, pack_folder
from podium.errors import PodiumError
from podium.files import file_digest


def fetch(source: ArchiveSource, folder: Path, _downloads: Path) -> str:
    """Copy the archive to `folder`; a folder of files, or a tar, is packed into one. See `sources.fetch`."""
    path = Path(source.path).expanduser()
    target = folder / ARCHIVE
    if path.is_dir():
        count = pack_folder(path, target)
        if not count:
            raise PodiumError(f"The folder {path} holds no files. Expected the dataset as Kaggle delivers it.")
    elif path.is_file() and path.name.lower().endswith(TARS):
        pack_files([path], path.parent, target)
        count = 1
    elif path.is_file():
        count = check_zip(path)
        shutil.copyfile(path, target)
    else:
        raise PodiumError(
            f"There is no archive at {path.absolute()}. Download the dataset by hand and put its zip there, or "
            "name another place in params.yaml, at source.path."
        )
    digest = file_digest(target)
    if source.sha256 not in (None, digest):
        raise PodiumError(
            f"{path} is not the archive that params.yaml asks for: its sha256 is {digest}, expected "
            f"{source.sha256}. Download it again, or take the new digest over if the new archive is right."
        )
    return f"{path} ({count} files, {target.stat().st_size:,} bytes, sha256 {digest[:12]}…)"
