"""What a `dvc.lock` says of outputs: their paths and digests. Some come from servers: read with care."""

import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from podium.errors import PodiumError

MAX_BYTES = 32 << 20
"""Of a lock that is read: a page of a thousand candidates has a tenth of it."""
_FOLDER = ".dir"
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


@dataclass(frozen=True)
class Output:
    """A file or folder that a stage wrote.

    Attributes:
        path: relative to the project's root.
        md5: of the file; of a folder, that of the list of its files, with `.dir` at the end.
    """

    path: Path
    md5: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.md5.endswith(_FOLDER)


def read_outputs(lock: Path) -> dict[str, dict[Path, Output]]:
    """Read what each stage wrote, by the stage's name and the path.

    Raises:
        PodiumError: the file is no lock of DVC's.
    """
    wrong = f"{lock} is no dvc.lock that podium can read"
    if lock.stat().st_size > MAX_BYTES:
        raise PodiumError(f"{wrong}: it has more than {MAX_BYTES:,} bytes.")
    try:
        stages = YAML(typ="safe").load(lock)["stages"]
        return {str(name): {one.path: one for one in map(_output, entry["outs"])} for name, entry in stages.items()}
    except (YAMLError, TypeError, KeyError, ValueError, AttributeError, RecursionError) as error:
        raise PodiumError(f"{wrong}: {str(error).splitlines()[0] if str(error) else 'it ends early'}.") from error


def keep_entries(lock: Path, entries: Sequence[str]) -> str:
    """Give the text of a lock with the stages of some datasets and candidates alone: DVC reads it many times.

    Raises:
        PodiumError: the file is no lock of DVC's.
    """
    read_outputs(lock)
    content = YAML(typ="safe").load(lock)
    content["stages"] = {name: entry for name, entry in content["stages"].items() if name.partition("@")[2] in entries}
    text = io.StringIO()
    YAML(typ="safe").dump(content, text)
    return text.getvalue()


def _output(entry: Mapping[str, Any]) -> Output:
    path = PurePosixPath(str(entry["path"]))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"the path {path} leads out of the project")
    return Output(Path(path), str(entry["md5"]))


def agrees(output: Output, place: Path) -> bool | None:
    """Say whether a file or folder is the output that a lock names; None if it is not there.

    The bytes are read, a second or two per gigabyte.
    """
    if output.is_folder:
        if not place.is_dir():
            return None
        found = sorted(
            ({"md5": file_md5(one), "relpath": one.relative_to(place).as_posix()} for one in _files(place)),
            key=lambda one: one["relpath"],
        )
        return _md5(json.dumps(found, sort_keys=True).encode()) + _FOLDER == output.md5
    return file_md5(place) == output.md5 if place.is_file() else None


def agrees_in_cache(output: Output, cache: Path) -> bool | None:
    """Say whether DVC's cache has an output, whole and with the bytes that its md5 stands for; None if it has not.

    Args:
        output: what a lock names.
        cache: the cache's folder of objects, by md5.
    """
    place = _object(cache, output.md5)
    if not place.is_file():
        return None
    if file_md5(place) != output.md5.removesuffix(_FOLDER):
        return False
    if not output.is_folder:
        return True
    digests = {str(entry["md5"]) for entry in json.loads(place.read_text(encoding="utf-8"))}
    places = [(digest, _object(cache, digest)) for digest in sorted(digests)]
    if any(not one.is_file() for _, one in places):
        return None
    return all(file_md5(one) == digest for digest, one in places)


def _object(cache: Path, md5: str) -> Path:
    if not _MD5.fullmatch(md5):
        raise PodiumError(f"'{md5}' is no md5 as DVC writes it")
    return cache / md5[:2] / md5[2:]


def file_md5(path: Path) -> str:
    """Give the md5 of a file, as DVC does."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
