"""The JavaScript that runs a model in a browser: fetched once by npm, checked, kept.

Only the files that are named here are taken out of a package, and only if their sha256 is the one that is written here:
whoever answers npm cannot put another program into an exported page.
"""

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from filelock import FileLock

from podium.errors import PodiumError, TransientError
from podium.files import atomic_write, file_digest
from podium.processes import guard_children

CACHE, FOLDER = "PODIUM_CACHE", "PODIUM_RUNTIMES"
"""Variables of the environment: where podium keeps what it fetched; and a folder where the files lie already."""
SECONDS: Final = 600.0
"""For npm: the packages have 30 MB."""

Name = Literal["onnxruntime-web", "tfjs"]


@dataclass(frozen=True)
class Runtime:
    """An npm package, and what is used of it.

    Attributes:
        package: its name.
        version: exactly this one.
        files: their places in the package, and the sha256 of each.
        licence: its short name.
    """

    package: str
    version: str
    files: Mapping[str, str]
    licence: str

    @property
    def spec(self) -> str:
        """As npm is asked for it."""
        return f"{self.package}@{self.version}"

    @property
    def names(self) -> dict[str, str]:
        """The files' own names, and the sha256 of each."""
        return {Path(place).name: digest for place, digest in self.files.items()}


RUNTIMES: Final[Mapping[str, Runtime]] = {
    "onnxruntime-web": Runtime(
        "onnxruntime-web",
        "1.30.0",
        {
            "dist/ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
            "dist/ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
        },
        "MIT",
    ),
    "tfjs": Runtime(
        "@tensorflow/tfjs",
        "4.22.0",
        {"dist/tf.min.js": "300dfae273d20b4046f46a06d735688f03675a807561e9bcb5f664eb2f3d2831"},
        "Apache-2.0",
    ),
}


def get_runtime(name: Name) -> Path:
    """Give the folder with a runtime's files and their licence; fetch them if they are not there yet.

    For `onnxruntime-web`: `ort.wasm.bundle.min.mjs` and `ort-wasm-simd-threaded.wasm`; for `tfjs`: `tf.min.js`. Beside
    them `LICENSE-NAME.txt`.

    Raises:
        PodiumError: npm is missing, cannot fetch it, or what came is not what is expected.
    """
    runtime = RUNTIMES[name]
    if given := os.environ.get(FOLDER):
        return _require(Path(given).expanduser().absolute(), runtime)
    folder = cache_folder() / "runtimes" / f"{name}-{runtime.version}"
    if _is_whole(folder, runtime):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock"), timeout=SECONDS):
        if not _is_whole(folder, runtime):
            with tempfile.TemporaryDirectory(prefix="podium-npm-") as temporary, atomic_write(folder) as part:
                part.mkdir()
                _extract(_pack(runtime, Path(temporary)), runtime, part)
                _save_licences(name, part)
    return folder


def cache_folder() -> Path:
    """Give the folder where podium keeps what can be fetched again; it can be removed at any time."""
    named = os.environ.get(CACHE)
    if named:
        return Path(named).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "podium"


def _is_whole(folder: Path, runtime: Runtime) -> bool:
    return all(
        (folder / name).is_file() and file_digest(folder / name) == digest for name, digest in runtime.names.items()
    )


def _require(folder: Path, runtime: Runtime) -> Path:
    if _is_whole(folder, runtime):
        return folder
    raise PodiumError(
        f"The environment variable {FOLDER} is {folder}, and there are not the files {', '.join(runtime.names)} of "
        f"{runtime.spec} with the sha256 that podium knows. Take them out of that npm package, or `unset {FOLDER}` and "
        "let podium fetch them."
    )


def _pack(runtime: Runtime, folder: Path) -> Path:
    """Let npm fetch a package as a file; from where is a matter of the user's own settings of npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise PodiumError(
            f"npm is not on PATH; it fetches {runtime.spec}, which runs the model in a browser. Install Node.js with "
            f"npm; or take {', '.join(runtime.files)} out of that package on another machine, and name the folder: "
            f"`export {FOLDER}=FOLDER`."
        )
    guard_children()
    command = [npm, "pack", runtime.spec, "--ignore-scripts", "--silent"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise TransientError(f"`npm pack {runtime.spec}` did not end within {SECONDS:,.0f} seconds.") from None
    archives = [*folder.glob("*.tgz")]
    if done.returncode or len(archives) != 1:
        said = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
        raise TransientError(
            f"`npm pack {runtime.spec}` failed: {said[-1][:300]} Is there a network? Type it yourself to see all; or "
            f"put {', '.join(runtime.names)} of that package into a folder and name it: `export {FOLDER}=FOLDER`."
        )
    return archives[0]


def _extract(archive: Path, runtime: Runtime, folder: Path) -> None:
    """Take the files out, by their exact names: no other member of the archive is written anywhere."""
    try:
        with tarfile.open(archive) as packed:
            for place, digest in runtime.files.items():
                member = packed.getmember(f"package/{place}")
                content = packed.extractfile(member) if member.isfile() else None
                data = content.read() if content else b""
                if hashlib.sha256(data).hexdigest() != digest:
                    raise PodiumError(
                        f"{place} in the package {runtime.spec} that npm fetched is not the file that podium knows: "
                        f"its sha256 is not {digest}. Nothing was taken from it. Ask whoever keeps the npm registry "
                        "that you use."
                    )
                (folder / Path(place).name).write_bytes(data)
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise PodiumError(f"The package {runtime.spec} that npm fetched cannot be unpacked: {error}") from error


def _save_licences(name: str, folder: Path) -> None:
    """Put the licences beside the files: the packages themselves hold none."""
    for source, beside in _licences(name).items():
        shutil.copyfile(source, folder / beside)


def _licences(name: str) -> dict[Path, str]:
    if name == "tfjs":  # under the same licence as podium, which every file of it names at its head
        return {Path(__file__).parents[3] / "LICENSE": "LICENSE-tfjs.txt"}
    found = find_spec("onnxruntime")
    if found is None or found.origin is None:
        raise PodiumError("onnxruntime is not installed. `pip install -r requirements.txt`, then the same again.")
    package = Path(found.origin).parent
    return {
        package / "LICENSE": "LICENSE-onnxruntime-web.txt",
        package / "ThirdPartyNotices.txt": "NOTICES-onnxruntime-web.txt",
    }
