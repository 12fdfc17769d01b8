"""The JavaScript runtimes: fetched by npm, or rather by a small program of that name, checked, kept."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from podium.errors import PodiumError, TransientError
from podium.serving.export import runtimes
from podium.serving.export.runtimes import Runtime, cache_folder, get_runtime

GOOD = b"let answer = 42\n"
DIGEST = hashlib.sha256(GOOD).hexdigest()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an npm on PATH that copies `package.tgz` beside itself, and counts how often it was asked."""
    home = tmp_path / "npm"
    home.mkdir()
    program = home / "npm"
    program.write_text(f'#!/bin/sh\necho "$@" >> {home}/asked\nexec /bin/cp {home}/package.tgz .\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setenv(runtimes.CACHE, str(tmp_path / "cache"))
    monkeypatch.delenv(runtimes.FOLDER, raising=False)
    known = Runtime("@tensorflow/tfjs", "4.22.0", {"dist/tf.min.js": DIGEST}, "Apache-2.0")
    monkeypatch.setattr(runtimes, "RUNTIMES", {"tfjs": known})
    return home


def put_package(npm: Path, **members: bytes) -> None:
    with tarfile.open(npm / "package.tgz", "w:gz") as packed:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))


def test_it_is_fetched_once_in_one_version_and_kept_with_its_licence(npm: Path) -> None:
    put_package(npm, **{"package/dist/tf.min.js": GOOD, "package/other.js": b"not asked for"})
    folder = get_runtime("tfjs")
    assert get_runtime("tfjs") == folder == cache_folder() / "runtimes/tfjs-4.22.0"
    assert {path.name for path in folder.iterdir()} == {"tf.min.js", "LICENSE-tfjs.txt"}
    assert (folder / "tf.min.js").read_bytes() == GOOD
    assert (npm / "asked").read_text() == "pack @tensorflow/tfjs@4.22.0 --ignore-scripts --silent\n"


def test_a_file_in_the_cache_that_was_changed_is_fetched_again(npm: Path) -> None:
    put_package(npm, **{"package/dist/tf.min.js": GOOD})
    (get_runtime("tfjs") / "tf.min.js").write_bytes(b"another")
    assert (get_runtime("tfjs") / "tf.min.js").read_bytes() == GOOD


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"package/dist/tf.min.js": b"another program"}, "not the file that podium knows"),
        ({"package/../../tf.min.js": GOOD}, "cannot be unpacked"),
        ({}, "cannot be unpacked"),
    ],
    ids=["another file", "another place", "nothing in it"],
)
def test_a_package_that_is_another_leaves_nothing(npm: Path, members: dict[str, bytes], reason: str) -> None:
    put_package(npm, **members)
    with pytest.raises(PodiumError, match=reason):
        get_runtime("tfjs")
    assert not [path for path in cache_folder().rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_no_network_is_said_with_the_way_around_it(npm: Path) -> None:
    (npm / "npm").write_text("#!/bin/sh\necho 'npm error network request failed' >&2\nexit 1\n")
    with pytest.raises(TransientError, match=r"request failed Is there a network.*PODIUM_RUNTIMES"):
        get_runtime("tfjs")


def test_without_npm_it_is_said_what_to_type(npm: Path) -> None:
    (npm / "npm").unlink()
    with pytest.raises(PodiumError, match=r"npm is not on PATH.*export PODIUM_RUNTIMES=FOLDER"):
        get_runtime("tfjs")


def test_a_folder_of_ones_own_is_taken_if_it_has_these_files(
    npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runtimes.FOLDER, str(tmp_path / "own"))
    with pytest.raises(PodiumError, match="unset PODIUM_RUNTIMES"):
        get_runtime("tfjs")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/tf.min.js").write_bytes(GOOD)
    assert get_runtime("tfjs") == tmp_path / "own"
    assert not (npm / "asked").exists()
