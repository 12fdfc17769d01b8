"""`models.lock`: a consumer's file that pins a version of a model and the bytes of its files."""

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from podium.errors import PodiumError
from podium.files import atomic_write
from podium.registry.proof.subject import digest_files, fetch_model
from podium.tracking.connection import shown_uri
from podium.tracking.names import WITHDRAWN, find_version
from podium.tracking.reaching import reaching

PINS = Path("models.lock")
FORMAT = 1
MAX_BYTES = 4 << 20
"""Of a `models.lock` that is read: some thousand models."""
_HEAD = "# `podium pin NAME@VERSION` writes this, `podium verify` holds the models in MLflow against it. Commit it.\n"
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Pin:
    """A version of a model as it was when it was pinned.

    Attributes:
        model: the registered model's name.
        version: its number.
        where: the tracking server's address, without user and password.
        sha256: of the whole: over the digests and names of the files.
        files: the sha256 of each file of the logged model, by its path.
    """

    model: str
    version: str
    where: str
    sha256: str
    files: Mapping[str, str]

    @property
    def title(self) -> str:
        """For people: `digits/3`."""
        return f"{self.model}/{self.version}"


def pin(root: Path, name: str) -> Pin:
    """Write a version and the digests of its files into `models.lock`, in place of what it has of that model.

    Args:
        root: the project's root.
        name: `digits/3`, `digits@champion`.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no such version, or it was recalled.
    """
    pins = read_pins(root / PINS) if (root / PINS).exists() else {}
    with reaching(root, name) as client, TemporaryDirectory(prefix="podium-") as folder:
        version = find_version(client, name)
        if WITHDRAWN in version.tags:
            raise PodiumError(
                f"{version.name}/{version.version} was recalled: {version.tags[WITHDRAWN]}. Pin another version; "
                f"`podium history {version.name}` lists them."
            )
        files = digest_files(fetch_model(client, version, Path(folder)))
        made = Pin(version.name, str(version.version), shown_uri(client.tracking_uri), sum_up(files), files)
    _save(pins | {made.model: made}, root / PINS)
    return made


def sum_up(files: Mapping[str, str]) -> str:
    """Give one sha256 for all files: over lines as `sha256sum` prints them, in the order of the names."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def read_pins(path: Path) -> dict[str, Pin]:
    """Read a `models.lock`, by the models' names.

    Raises:
        PodiumError: there is none, or it is none that podium wrote.
    """
    if not path.is_file():
        raise PodiumError(f"There is no {path.name} here. `podium pin NAME@champion` writes one; or name a version.")
    if path.stat().st_size > MAX_BYTES:
        raise PodiumError(f"{path.name} has more than {MAX_BYTES:,} bytes. Expected what `podium pin` writes.")
    try:
        content = YAML(typ="safe").load(path)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']}, expected {FORMAT}")
        return {str(model): _read(str(model), entry) for model, entry in content["models"].items()}
    except (YAMLError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise PodiumError(
            f"{path.name} cannot be read: {' '.join(str(error).split())}. Expected what `podium pin` writes; "
            f"`git checkout {path.name}` brings the committed one back."
        ) from error


def _read(model: str, entry: Mapping[str, object]) -> Pin:
    files = entry["files"]
    if not isinstance(files, dict) or not files:
        raise ValueError(f"{model} has no files")
    digests = {str(name): str(digest) for name, digest in files.items()}
    known = Pin(model, str(entry["version"]), str(entry["where"]), str(entry["sha256"]), digests)
    if not known.version.isdecimal():
        raise ValueError(f"the version of {model} is '{known.version}', expected a number")
    if not all(map(_DIGEST.fullmatch, (known.sha256, *digests.values()))):
        raise ValueError(f"{model} has a digest that is no sha256")
    if sum_up(digests) != known.sha256:
        raise ValueError(f"the sha256 of {model} is not that of its files: the file was edited by hand")
    return known


def _save(pins: Mapping[str, Pin], path: Path) -> None:
    models = {
        name: {"version": one.version, "where": one.where, "sha256": one.sha256, "files": dict(one.files)}
        for name, one in sorted(pins.items())
    }
    text, yaml = io.StringIO(), YAML()
    yaml.width = 4096  # a digest stays in its line
    yaml.dump({"format": FORMAT, "models": models}, text)
    with atomic_write(path) as part:
        part.write_text(_HEAD + text.getvalue(), encoding="utf-8", newline="\n")
