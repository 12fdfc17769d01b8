"""Has a source something new? It is asked, and nothing is downloaded."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kagglesdk import kaggle_env

from podium.config.datasets import ArchiveSource, KaggleSource, SklearnSource
from podium.datasets.provenance import read_provenance, save_provenance
from podium.datasets.sources import fetch, look
from podium.errors import PodiumError, TransientError
from tests.kaggle_server import FAULTS, SECRETS, TOKEN, KaggleServer, serve_kaggle

KAGGLE = KaggleSource(kind="kaggle", dataset="alice/dots")


def write_zip(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", text)


def arrive(source: Any, root: Path) -> dict[str, Any]:
    """Bring a dataset here, and read what was written down of it."""
    raw = root / "data/raw/dots"
    raw.mkdir(parents=True)
    fetch(source, raw, root / "data/downloads/dots")
    save_provenance(source, raw, raw.with_suffix(".json"))
    return read_provenance(raw.with_suffix(".json"))


def look_at(source: Any, known: dict[str, Any], root: Path) -> str:
    return look(source, known, root, root / "data/downloads/dots")


@pytest.fixture
def kaggle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KaggleServer]:
    write_zip(tmp_path / "kaggle/datasets/alice/dots.zip", "one")
    for name in [name for name in os.environ if name.startswith("KAGGLE_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    with serve_kaggle(tmp_path / "kaggle") as server:
        monkeypatch.setitem(
            kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, server.address
        )  # the client looks once
        for name, value in {"KAGGLE_API_TOKEN": TOKEN, "HOME": str(tmp_path)}.items():
            monkeypatch.setenv(name, value)
        yield server


def test_kaggle_is_asked_for_the_size_and_not_for_the_archive(kaggle: KaggleServer, tmp_path: Path) -> None:
    known = arrive(KAGGLE, tmp_path)
    kaggle.seen.clear()
    assert look_at(KAGGLE, known, tmp_path) == ""
    write_zip(tmp_path / "kaggle/datasets/alice/dots.zip", "one and more")
    news = look_at(KAGGLE, known, tmp_path)
    assert news == f"Kaggle's dataset alice/dots has {known['bytes'] + 9} bytes now, {known['bytes']} before."
    assert not (tmp_path / "data/downloads/dots").exists()


def test_a_page_that_names_a_version_asks_nobody(kaggle: KaggleServer, tmp_path: Path) -> None:
    source = KaggleSource(kind="kaggle", dataset="alice/dots", version=3)
    assert look_at(source, {"bytes": 1}, tmp_path) == ""
    assert kaggle.seen == []


def test_kaggle_that_cannot_be_asked_is_one_message_without_a_secret(kaggle: KaggleServer, tmp_path: Path) -> None:
    kaggle.api_faults.extend([FAULTS["403"], FAULTS["503"]])
    with pytest.raises(PodiumError, match="Kaggle refuses Kaggle's dataset alice/dots") as refused:
        look_at(KAGGLE, {"bytes": 1}, tmp_path)
    with pytest.raises(TransientError, match="cannot be asked for now"):
        look_at(KAGGLE, {"bytes": 1}, tmp_path)
    assert not [secret for secret in SECRETS if secret in str(refused.value)]


def test_an_archive_that_was_put_there_by_hand_is_looked_at(tmp_path: Path) -> None:
    by_hand = tmp_path / "data/downloads/dots/archive.zip"
    write_zip(by_hand, "one")
    known = arrive(KAGGLE, tmp_path)
    assert look_at(KAGGLE, known, tmp_path) == ""
    write_zip(by_hand, "two")
    assert "is another archive than the one that arrived before" in look_at(KAGGLE, known, tmp_path)


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_an_archive_on_this_disk_is_compared_by_its_digest(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    place = tmp_path / ("dots.zip" if kind == "zip" else "dots")

    def write(text: str) -> None:
        if kind == "zip":
            write_zip(place, text)
        else:
            place.mkdir(exist_ok=True)
            (place / "a.txt").write_text(text)

    write("one")
    source = ArchiveSource(kind="archive", path=place.name)
    known = arrive(source, tmp_path)
    monkeypatch.chdir("/")  # a relative path is meant from the project's root
    assert look_at(source, known, tmp_path) == ""
    write("two")  # as many bytes
    assert "is another archive now" in look_at(source, known, tmp_path)
    pinned = ArchiveSource(kind="archive", path=place.name, sha256=hashlib.sha256(b"").hexdigest())
    assert look_at(pinned, known, tmp_path) == ""
    assert [path.name for path in (tmp_path / "data/downloads").glob("*")] == []


def test_what_a_library_ships_is_never_new(tmp_path: Path) -> None:
    assert look_at(SklearnSource(kind="sklearn", name="digits"), {}, tmp_path) == ""


def test_a_record_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match=r"dots.json, what is known of the archive that arrived, cannot be read"):
        read_provenance(tmp_path / "dots.json")
