"""What `podium init` is given: a dataset on Kaggle, or an archive on this disk."""

import re
import unicodedata
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from podium.config.datasets import ArchiveSource, KaggleSource
from podium.errors import PodiumError

_EXPECTED = (
    "Expected kaggle:OWNER/SLUG (a dataset), kaggle:SLUG (a competition), a kaggle.com address of one, or the path of "
    "a folder, a zip, a 7z or a tar.gz."
)
_ENDINGS = (".zip", ".7z", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar")


def read_reference(reference: str, root: Path, here: Path) -> KaggleSource | ArchiveSource:
    """Read what a person typed.

    Args:
        reference: `kaggle:owner/slug`, `kaggle:slug`, an address on kaggle.com, or a path.
        root: the project's root; a path in it is written relative to it.
        here: the folder that a relative path starts from.

    Raises:
        PodiumError: it is none of these, or there is nothing at the path.
    """
    if reference.startswith("kaggle:"):
        return _kaggle(reference, reference.removeprefix("kaggle:").strip("/"))
    if re.match(r"(https?://)?(www\.)?kaggle\.com/", reference):
        return _address(reference)
    path = here / Path(reference).expanduser()
    if not path.exists():
        guess = f"kaggle:{reference}" if re.fullmatch(r"[\w-]+/[\w-]+", reference) else None
        raise PodiumError(
            f"There is no {path}. "
            + (f"For the dataset on Kaggle, type `podium init {guess}`." if guess else _EXPECTED)
        )
    path = path.resolve()
    inside = path.is_relative_to(root.resolve())
    return ArchiveSource(kind="archive", path=str(path.relative_to(root.resolve()) if inside else path))


def name_dataset(source: KaggleSource | ArchiveSource) -> str:
    """Make a dataset's name of a slug or of a path: lower-case words joined by hyphens."""
    if isinstance(source, KaggleSource):
        text = source.competition or str(source.dataset).rpartition("/")[2]
    else:
        text = Path(source.path).resolve().name
        ending = next((ending for ending in _ENDINGS if text.lower().endswith(ending)), "")
        text = text[: len(text) - len(ending)]
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join(re.findall("[a-z0-9]+", plain.lower())) or "dataset"


def _kaggle(reference: str, slug: str, version: int | None = None) -> KaggleSource:
    try:
        if "/" in slug:
            return KaggleSource(kind="kaggle", dataset=slug, version=version)
        return KaggleSource(kind="kaggle", competition=slug)
    except ValidationError:
        raise PodiumError(f"'{reference}' names nothing on Kaggle. {_EXPECTED}") from None


def _address(address: str) -> KaggleSource:
    path = urlsplit(address if "://" in address else f"https://{address}").path
    match [part for part in path.split("/") if part]:
        case ["datasets", owner, slug, "versions", version, *_] if version.isdecimal() and int(version) > 0:
            return _kaggle(address, f"{owner}/{slug}", int(version))
        case ["datasets", owner, slug, *_]:
            return _kaggle(address, f"{owner}/{slug}")
        case ["competitions" | "c", slug, *_]:
            return _kaggle(address, slug)
    raise PodiumError(f"{address} is no page of a dataset or of a competition. {_EXPECTED}")
