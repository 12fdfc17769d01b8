"""What may tell the labels of an archive that is not read: for its refusal."""

from podium.datasets.archive import DamagedFile
from podium.datasets.formats.image_files import kind_of
from podium.datasets.formats.survey.contents import Contents
from podium.images.kinds import EMPTY, NO_IMAGE, advise

MAX_READ_BYTES = 1 << 16
"""So much of a file is looked through for the names of images."""
MAX_FILES = 200
"""Files that are looked through."""


def find_hints(contents: Contents) -> list[str]:
    """Give the notes, and name the files that may tell what images show, in a way that is not read."""
    hints = [*dict.fromkeys(contents.notes)]
    if not contents.images and not hints and (other := _other_images(contents)):
        hints.append(other)
    stems = {_stem(name) for name in contents.images}
    beside = [name for name in contents.files if name.endswith((".cls", ".json", ".txt")) and _stem(name) in stems]
    if stems and len(beside) > len(stems) / 2:
        hints.append(f"The labels may be in files beside the images, such as '{beside[0]}'; these are not read.")
        return hints
    told = [name for name in contents.files if name.lower().endswith((".json", ".jsonl", ".xml"))]
    named = next((name for name in told[:MAX_FILES] if _names_images(contents, name)), None)
    if named:
        hints.append(f"'{named}' names images; of such files, only COCO's and Pascal VOC's are read.")
    return hints


def _other_images(contents: Contents) -> str:
    """Say what to do with files of another kind, of which there are many."""
    endings: dict[str, list[str]] = {}
    for name in contents.files:
        endings.setdefault(name.rpartition("/")[2].rpartition(".")[2].lower(), []).append(name)
    for names in sorted(endings.values(), key=len, reverse=True)[:3]:
        kind = kind_of(names[0], contents.archive)
        if kind and kind not in ("text", "XML", "a web page", EMPTY) and advise(kind) != NO_IMAGE:
            like = f", like {len(names):,} files that end so" if len(names) > 1 else ""
            return f"'{names[0]}' is {kind}{like}: {advise(kind)}."
    return ""


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _names_images(contents: Contents, name: str) -> bool:
    """Say whether the first part of a text has the name of an image."""
    try:
        with contents.archive.open(name) as file:
            text = file.read(MAX_READ_BYTES).decode("utf-8", "replace")
    except DamagedFile:
        return False
    return any(_stem(image.rpartition("/")[2]) in text for image in contents.images[:20])
