"""The real client of Kaggle against a server on loopback."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import pty
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import termios
import time
import traceback
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from podium.config.datasets import KaggleSource
from podium.datasets.archive import ARCHIVE
from podium.datasets.provenance import save_provenance
from podium.datasets.sources import fetch, kaggle, transfer
from podium.errors import PodiumError, TransientError
from podium.paths import DatasetPaths
from tests.kaggle_server import (
    BASIC,
    FAULTS,
    KEY,
    OAUTH_TOKEN,
    REFRESH_TOKEN,
    SECRETS,
    TOKEN,
    USER,
    Fault,
    KaggleServer,
    serve_kaggle,
)
from tests.makers import REPOSITORY, make_page, make_rows, make_table, save_page

DATASET = KaggleSource(kind="kaggle", dataset="alice/dots")
COMPETITION = KaggleSource(kind="kaggle", competition="dots-challenge")
DOWNLOADS = DatasetPaths("dots").downloads
BY_HAND = DOWNLOADS / ARCHIVE
PART = DOWNLOADS / f"{ARCHIVE}.part"
WAY_ROUND = "put the zip at data/downloads/dots/archive.zip, then type `dvc repro`"


def make_zip(path: Path, seed: int = 0, size: int = 400_000) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("train.csv", make_table(make_rows(9)))
        archive.writestr("noise.bin", random.Random(seed).randbytes(size))  # noqa: S311 - no secret
    return path.read_bytes()


@pytest.fixture
def delivered(tmp_path: Path) -> Path:
    """The folder that Kaggle serves."""
    for seed, name in enumerate(("datasets/alice/dots", "datasets/alice/dots@3", "competitions/dots-challenge")):
        make_zip(tmp_path / "kaggle" / f"{name}.zip", seed)
    return tmp_path / "kaggle"


@pytest.fixture
def home(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without a credential, as is the environment."""
    for name in os.environ:
        if name.startswith("KAGGLE_") or name.upper().endswith("_PROXY") or name == "VERBOSE":
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    (folder / ".kaggle").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(kaggle._client(), "config", str(folder / ".kaggle/kaggle.json"))  # the client looks once
    return folder


@pytest.fixture
def nobody(home: Path, delivered: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KaggleServer]:
    """Kaggle, with nobody signed in, and hardly any waiting."""
    from kagglesdk import kaggle_env

    monkeypatch.setattr(transfer, "FIRST_WAIT_SECONDS", 0.001)
    with serve_kaggle(delivered) as server:
        monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, server.address)
        yield server


@pytest.fixture
def server(nobody: KaggleServer, monkeypatch: pytest.MonkeyPatch) -> KaggleServer:
    """Kaggle, with a credential that it accepts."""
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
    return nobody


@pytest.fixture(autouse=True)
def no_secret_is_told(
    project: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """Whatever a test does: no credential in the log, on the screen or in a file, and nothing on the screen at all."""
    caplog.set_level(logging.DEBUG, "podium")
    yield
    screen = capfd.readouterr()
    assert (screen.out, screen.err) == ("", "")
    told = caplog.text.encode() + b"".join(path.read_bytes() for path in project.rglob("*") if path.is_file())
    assert [secret for secret in SECRETS if secret.encode() in told] == []


def take(source: KaggleSource = DATASET) -> bytes:
    """Fetch into an empty folder; give what arrived."""
    folder = Path("arriving")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    line = fetch(source, folder, DOWNLOADS)
    content = (folder / ARCHIVE).read_bytes()
    assert [path.name for path in folder.iterdir()] == [ARCHIVE]
    assert line.endswith(f"(2 files, {len(content):,} bytes, sha256 {hashlib.sha256(content).hexdigest()})")
    return content


def fail(words: str, source: KaggleSource = DATASET, kind: type[PodiumError] = PodiumError) -> str:
    """Fetch in vain; give the message, which says these words, shows no secret and names the way round."""
    with pytest.raises(PodiumError, match=words) as raised:
        take(source)
    assert isinstance(raised.value, kind)
    assert isinstance(raised.value, TransientError) == (kind is TransientError)
    shown = "".join(traceback.format_exception(raised.value))
    assert [secret for secret in SECRETS if secret in shown] == []
    assert list(Path("arriving").iterdir()) == []
    assert WAY_ROUND in shown
    return str(raised.value)


def waits(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if "Waiting" in record.message]


# what arrives -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (DATASET, "datasets/alice/dots"),
        (KaggleSource(kind="kaggle", dataset="alice/dots", version=3), "datasets/alice/dots@3"),
        (COMPETITION, "competitions/dots-challenge"),
    ],
    ids=["dataset", "version", "competition"],
)
def test_an_archive_arrives_byte_for_byte(
    server: KaggleServer, delivered: Path, source: KaggleSource, name: str
) -> None:
    content = (delivered / f"{name}.zip").read_bytes()
    assert take(source) == content
    assert not DOWNLOADS.exists()
    assert take(KaggleSource(**vars(source) | {"sha256": hashlib.sha256(content).hexdigest()})) == content


def test_the_storage_never_sees_the_credential(server: KaggleServer) -> None:
    take()
    (asked,) = server.of("storage")
    assert asked.status == 200
    assert "Authorization" not in asked.headers
    assert asked.headers["Accept-Encoding"] == "identity"  # else its length would not be the archive's


def test_another_archive_than_the_one_asked_for_is_refused_and_forgotten(server: KaggleServer, delivered: Path) -> None:
    digest = hashlib.sha256((delivered / "datasets/alice/dots.zip").read_bytes()).hexdigest()
    wrong = KaggleSource(kind="kaggle", dataset="alice/dots", sha256="0" * 64)
    fail(f"its sha256 is {digest}, expected {'0' * 64}", wrong)
    assert list(DOWNLOADS.iterdir()) == []
    take()
    assert [one.status for one in server.of("storage")] == [200, 200]


# credentials --------------------------------------------------------------------------------------------


def save_token(home: Path, _: pytest.MonkeyPatch) -> None:
    (home / ".kaggle/access_token").write_text(f"{TOKEN}\n")


def save_key(home: Path, _: pytest.MonkeyPatch) -> None:
    (home / ".kaggle/kaggle.json").write_text(json.dumps({"username": USER, "key": KEY}))


def save_login(home: Path, _: pytest.MonkeyPatch) -> None:
    (home / ".kaggle/credentials.json").write_text(json.dumps({"refresh_token": REFRESH_TOKEN, "username": USER}))


def set_token(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)


def set_token_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "token").write_text(TOKEN)
    monkeypatch.setenv("KAGGLE_API_TOKEN", str(home / "token"))


def set_key(_: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", USER)
    monkeypatch.setenv("KAGGLE_KEY", KEY)


@pytest.mark.parametrize(
    ("give", "sent"),
    [
        (set_token, f"Bearer {TOKEN}"),
        (set_token_file, f"Bearer {TOKEN}"),
        (save_token, f"Bearer {TOKEN}"),
        (set_key, BASIC),
        (save_key, BASIC),
        (save_login, f"Bearer {OAUTH_TOKEN}"),
    ],
)
def test_every_credential_that_the_client_knows_is_used(
    nobody: KaggleServer, home: Path, monkeypatch: pytest.MonkeyPatch, give: Callable[..., None], sent: str
) -> None:
    give(home, monkeypatch)
    take()
    assert [one.headers["Authorization"] for one in nobody.of("api")] == [sent]


def test_of_several_credentials_the_clients_first_is_used(
    nobody: KaggleServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_login(home, monkeypatch)
    (home / ".kaggle/kaggle.json").write_text(json.dumps({"username": "bob", "key": "old"}))
    set_key(home, monkeypatch)
    (home / ".kaggle/access_token").write_text(OAUTH_TOKEN)  # known to the server, and other than the next
    set_token(home, monkeypatch)
    take()
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    take()
    (home / ".kaggle/access_token").unlink()
    take()
    monkeypatch.delenv("KAGGLE_USERNAME")
    monkeypatch.delenv("KAGGLE_KEY")
    save_key(home, monkeypatch)
    take()
    (home / ".kaggle/kaggle.json").unlink()
    take()
    sent = [one.headers["Authorization"] for one in nobody.of("api")]
    assert sent == [f"Bearer {TOKEN}", f"Bearer {OAUTH_TOKEN}", BASIC, BASIC, f"Bearer {OAUTH_TOKEN}"]


def test_without_a_credential_a_person_is_told_how_to_get_one(nobody: KaggleServer) -> None:
    message = fail("There is no credential for Kaggle")
    for words in ("https://www.kaggle.com/settings/api", "KAGGLE_API_TOKEN", "~/.kaggle/access_token"):
        assert words in message
    assert nobody.seen == []


def bad_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "podium-fake-old-token")


def bad_token_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".kaggle/access_token").write_text("podium-fake-old-token")


def bad_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", USER)
    monkeypatch.setenv("KAGGLE_KEY", "podium-fake-old-key")


def two_lines(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", f"{TOKEN}\n{TOKEN}")


def curly_quote(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", f"“{TOKEN}”")


def bad_login(home: Path, _: pytest.MonkeyPatch) -> None:
    (home / ".kaggle/credentials.json").write_text("[]")


@pytest.mark.parametrize(
    ("give", "words"),
    [
        (bad_token, "Kaggle does not accept the access token of KAGGLE_API_TOKEN"),
        (bad_token_file, "Kaggle does not accept the access token of ~/.kaggle/access_token"),
        (bad_key, r"Kaggle does not accept the credential of KAGGLE_USERNAME and KAGGLE_KEY.* \('Unauthenticated'\)"),
        (two_lines, "cannot be asked with the access token of KAGGLE_API_TOKEN: its file is damaged, or"),
        (curly_quote, "cannot be asked with the access token of KAGGLE_API_TOKEN: its file is damaged, or"),
        (bad_login, "cannot be asked with the credential of KAGGLE_USERNAME .* its file is damaged"),
    ],
)
def test_a_credential_that_does_not_work_is_named_and_not_shown(
    nobody: KaggleServer, home: Path, monkeypatch: pytest.MonkeyPatch, give: Callable[..., None], words: str
) -> None:
    give(home, monkeypatch)
    assert "podium-fake" not in fail(words)
    assert len(nobody.seen) <= 2


# refusals -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "fault", "words"),
    [
        (DATASET, "401", r"does not accept the access token of KAGGLE_API_TOKEN \('Unauthenticated'\)"),
        (COMPETITION, "403", r"Accept its rules.* https://www\.kaggle\.com/competitions/dots-challenge/rules"),
        (DATASET, "403", r"It is private.* https://www\.kaggle\.com/datasets/alice/dots, .*datasets\.dots\.source\."),
        (DATASET, "404", r"no such thing: Kaggle's dataset alice/dots .*Correct datasets\.dots\.source\.dataset in"),
        (COMPETITION, "404", r"competition dots-challenge .*Correct datasets\.dots\.source\.competition in"),
        (KaggleSource(kind="kaggle", dataset="alice/dots", version=9), None, r"version 9 .*source\.version in params"),
        (KaggleSource(kind="kaggle", dataset="alice/dtos"), None, r"no such thing: Kaggle's dataset alice/dtos"),
    ],
)
def test_a_refusal_says_what_was_asked_and_what_to_do(
    server: KaggleServer, source: KaggleSource, fault: str | None, words: str
) -> None:
    if fault:
        server.api_faults.append(FAULTS[fault])
    message = fail(words, source)
    page = f"competitions/{source.competition}/data" if source.competition else f"datasets/{source.dataset}"
    assert f"in a browser from https://www.kaggle.com/{page}" in message
    assert len(server.of("api")) == 1


def test_other_refusals_are_told_as_they_are(server: KaggleServer) -> None:
    server.api_faults.append(Fault(451, "Not in your country"))
    fail(r"451 \(Unavailable For Legal Reasons\) \('Not in your country'\)")


def test_a_storage_that_refuses_is_not_taken_for_kaggle(server: KaggleServer) -> None:
    server.storage_faults.append(Fault(403, "blocked"))
    fail(r"localhost, where Kaggle keeps the archive, answered 403 \(Forbidden\)")


def test_a_web_page_is_no_archive_and_costs_nothing_of_what_arrived(
    server: KaggleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "MAX_TRIES", 1)
    server.storage_faults.append(Fault(after=200_000))
    fail("connection to the server was cut", kind=TransientError)
    kept = PART.read_bytes()
    assert len(kept) > 100_000
    server.storage_faults.append(Fault(page=True))
    fail("localhost sent a web page where Kaggle's dataset alice/dots was expected")
    assert PART.read_bytes() == kept


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda _: b"<!DOCTYPE html><html></html>", "is not a zip archive. It is a web page"),
        (lambda content: content[:-50], "is not a zip archive. It is a zip that was cut short"),
    ],
    ids=["page", "truncated"],
)
def test_what_is_no_zip_although_it_says_so_is_forgotten(
    server: KaggleServer, delivered: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    path = delivered / "datasets/alice/dots.zip"
    content = path.read_bytes()
    path.write_bytes(spoil(content))
    fail(words)
    assert list(DOWNLOADS.iterdir()) == []
    path.write_bytes(content)
    assert take() == content


# trouble that passes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again_and_each_wait_is_told(
    server: KaggleServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    server.api_faults += [Fault(status, "later")] * 2
    server.storage_faults += [Fault(status, "later")] * 2
    take()
    told = waits(caplog)
    assert len(told) == 4
    assert re.match(rf"Kaggle's dataset alice/dots: 127\.0\.0\.1 answered {status} \(.*\)\. Waiting 0\.0 sec", told[0])
    assert "localhost answered" in told[2]
    assert told[3].endswith("before try 5 of 5")
    assert len(server.of("sign-in")) == 1


def test_each_wait_is_twice_as_long(
    server: KaggleServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(transfer, "FIRST_WAIT_SECONDS", 1.0)
    monkeypatch.setattr(time, "sleep", slept.append)
    server.api_faults += [Fault(503)] * 4
    take()
    for number, seconds in enumerate(slept):
        assert 2**number <= seconds <= 1.5 * 2**number
    assert len(slept) == 4


@pytest.mark.parametrize("date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_is_heeded(
    server: KaggleServer, monkeypatch: pytest.MonkeyPatch, status: int, date: bool
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True) if date else "90"
    server.api_faults.append(Fault(status, headers={"Retry-After": when}))
    take()
    (seconds,) = slept
    assert 88 <= seconds <= 91


def test_a_retry_after_that_makes_no_sense_is_passed_over(server: KaggleServer) -> None:
    server.api_faults.append(Fault(429, headers={"Retry-After": "soon"}))
    take()


def test_a_server_that_wants_too_long_a_wait_is_left_alone(server: KaggleServer) -> None:
    server.api_faults.append(Fault(429, headers={"Retry-After": "7200"}))
    message = fail(r"answered 429 \(Too Many Requests\)\. Type `dvc repro` again after", kind=TransientError)
    moment = datetime.now().astimezone() + timedelta(seconds=7200)
    assert f"again after {moment:%H:}" in message
    assert len(server.of("api")) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_stays_busy_is_given_up(server: KaggleServer, status: int) -> None:
    server.api_faults += [Fault(status)] * 9
    fail(rf"cannot be downloaded now: 127\.0\.0\.1 answered {status} \(.*\), 5 times in a row", kind=TransientError)
    assert len(server.of("api")) == 5


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://kaggle.invalid", r"the name kaggle\.invalid is not found; is this machine online\?"),
        ("http://127.0.0.1:9", r"127\.0\.0\.1 cannot be reached, 2 times in a row"),
    ],
)
def test_without_a_network_the_host_is_named(
    server: KaggleServer, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    from kagglesdk import kaggle_env

    monkeypatch.setattr(transfer, "MAX_TRIES", 2)
    monkeypatch.setitem(kaggle_env._env_to_endpoint, kaggle_env.KaggleEnv.PROD, address)
    fail(words, kind=TransientError)


def test_a_proxy_that_is_not_there_or_misspelt_is_named(server: KaggleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "MAX_TRIES", 1)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    fail("the proxy that the environment names", kind=TransientError)
    monkeypatch.setenv("HTTP_PROXY", "http:///")
    fail(r"could not be asked for \(InvalidProxyURL\). Is a proxy in HTTPS_PROXY misspelt")


@pytest.mark.parametrize("kind", ["sign-in", "api", "storage", "body"])
def test_a_server_that_falls_silent_is_not_waited_for(
    server: KaggleServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    monkeypatch.setattr(transfer, "TIMEOUT_SECONDS", (1.0, 1.0))  # a busy machine answers within that
    if kind == "body":
        server.storage_faults.append(Fault(after=100_000, silence=2.0))
    else:
        server.silent.append(kind)
    take()
    (told,) = waits(caplog)
    assert "kept silent for too long" in told


# going on -----------------------------------------------------------------------------------------------


def test_a_body_that_breaks_off_is_gone_on_with(server: KaggleServer, caplog: pytest.LogCaptureFixture) -> None:
    server.storage_faults += [Fault(after=100_000)] * 3
    content = take()
    first, *rest = server.of("storage")
    assert (first.status, [one.status for one in rest]) == (200, [206] * 3)
    assert sum(one.sent for one in server.of("storage")) < len(content) + 3 * 65536
    assert len(waits(caplog)) == 3


def test_progress_gives_new_tries(server: KaggleServer) -> None:
    server.storage_faults += [Fault(after=70_000), *[Fault(503)] * 3] * 4
    take()
    assert len(server.of("storage")) == 17


def test_a_body_that_always_breaks_off_at_one_place_is_given_up(server: KaggleServer) -> None:
    server.without |= {"ETag", "Last-Modified"}  # nothing to go on with
    server.storage_faults += [Fault(after=100_000)] * 9
    fail("the connection to the server was cut, 5 times in a row", kind=TransientError)


def break_off(server: KaggleServer, monkeypatch: pytest.MonkeyPatch, after: int = 200_000) -> int:
    """End a first fetch in mid-download; give how many bytes of it are here."""
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "MAX_TRIES", 1)
        server.storage_faults.append(Fault(after=after))
        fail(r"it goes on from the [\d,]+ bytes that are here", kind=TransientError)
    server.seen.clear()
    return PART.stat().st_size


@pytest.mark.parametrize("without", [set(), {"ETag"}, {"Last-Modified"}], ids=["both", "date", "etag"])
def test_a_rerun_goes_on_where_the_last_one_ended(
    server: KaggleServer, delivered: Path, monkeypatch: pytest.MonkeyPatch, without: set[str]
) -> None:
    server.without |= without
    here = break_off(server, monkeypatch)
    assert here > 100_000
    content = take()
    assert content == (delivered / "datasets/alice/dots.zip").read_bytes()
    (asked,) = server.of("storage")
    assert (asked.status, asked.headers["Range"], asked.sent) == (206, f"bytes={here}-", len(content) - here)
    assert "Range" not in server.of("api")[0].headers
    assert not DOWNLOADS.exists()


def replace(path: Path, size: int) -> bytes:
    """Put another archive in a file's place; a second later, as dates know no less."""
    moment = path.stat().st_mtime + 1
    content = make_zip(path, seed=7, size=size)
    os.utime(path, (moment, moment))
    return content


@pytest.mark.parametrize("without", [set(), {"ETag"}, {"Last-Modified"}], ids=["both", "date", "etag"])
@pytest.mark.parametrize("size", [400_000, 900_000, 50_000], ids=["same size", "longer", "shorter"])
@pytest.mark.parametrize("heeded", [True, False], ids=["if-range", "no if-range"])
def test_another_file_on_the_server_is_begun_anew(
    server: KaggleServer,
    delivered: Path,
    monkeypatch: pytest.MonkeyPatch,
    heeded: bool,
    size: int,
    without: set[str],
) -> None:
    server.without |= without
    server.heeds_if_range = heeded
    break_off(server, monkeypatch)
    content = replace(delivered / "datasets/alice/dots.zip", size)
    assert take() == content
    statuses = [one.status for one in server.of("storage")]
    assert statuses == ([200] if heeded else [416 if size == 50_000 else 206, 200])


@pytest.mark.parametrize("change", ["no range", "no name", "no length", "damaged page", "lost page", "lost part"])
def test_what_cannot_be_gone_on_with_is_begun_anew(
    server: KaggleServer, delivered: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    if change == "no name":
        server.without |= {"ETag", "Last-Modified"}
    if change == "no length":
        server.without.add("Content-Length")
    if change == "no length":  # nothing tells that it broke off, but that it is no zip
        server.storage_faults.append(Fault(after=200_000))
        fail("It is a zip that was cut short")
        server.seen.clear()
    else:
        break_off(server, monkeypatch)
    match change:
        case "no range":
            server.heeds_range = False
        case "damaged page":
            PART.with_name(f"{PART.name}.json").write_text('{"si')
        case "lost page":
            PART.with_name(f"{PART.name}.json").unlink()
        case "lost part":
            PART.unlink()
    assert take() == (delivered / "datasets/alice/dots.zip").read_bytes()
    assert [one.status for one in server.of("storage")] == [200]


def test_a_part_of_another_dataset_is_not_gone_on_with(
    server: KaggleServer, delivered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_off(server, monkeypatch)
    assert take(COMPETITION) == (delivered / "competitions/dots-challenge.zip").read_bytes()


def interrupt(place: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetch until a function is called."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(place, name, stop)
        with pytest.raises(KeyboardInterrupt):
            take()


@pytest.mark.parametrize("too_much", [b"", b"and more"])
def test_a_whole_part_is_compared_and_taken(
    server: KaggleServer, delivered: Path, monkeypatch: pytest.MonkeyPatch, too_much: bytes
) -> None:
    interrupt(shutil, "move", monkeypatch)
    server.seen.clear()
    PART.write_bytes(PART.read_bytes() + too_much)
    assert take() == (delivered / "datasets/alice/dots.zip").read_bytes()
    assert [(one.status, one.sent) for one in server.of("storage")] == [(206, 1)]


def test_a_kill_between_two_files_leaves_no_mixture(
    server: KaggleServer, delivered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_off(server, monkeypatch)
    content = replace(delivered / "datasets/alice/dots.zip", 400_000)
    interrupt(transfer, "ensure_space", monkeypatch)  # the new file is noted, and nothing of it is here
    assert take() == content


# the disk -----------------------------------------------------------------------------------------------


def test_a_disk_that_is_too_small_is_told_before_anything_is_written(
    server: KaggleServer, delivered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (delivered / "datasets/alice/dots.zip").stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9**9, 9**9, 1000))
        fail(rf"No space left on device\. It needs {size:,} bytes more, and 1,000 are free there")
        assert PART.stat().st_size == 0
        BY_HAND.write_bytes(make_zip(delivered / "other.zip"))
        fail(rf"archive\.zip cannot be written: No space left.* needs {size:,} bytes more, and 1,000")


def test_a_copy_that_fails_leaves_nothing(nobody: KaggleServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def copy_half(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:1000])
        raise OSError(errno.EIO, "Input/output error")

    make_zip(BY_HAND)
    monkeypatch.setattr(shutil, "copyfile", copy_half)
    fail("arriving/archive.zip cannot be read or written: Input/output error")


def test_a_folder_that_cannot_be_written_is_named(server: KaggleServer) -> None:
    DOWNLOADS.parent.parent.mkdir()
    DOWNLOADS.parent.write_text("no folder")
    fail("data/downloads/dots cannot be read or written: Not a directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_only_be_read_is_named(server: KaggleServer) -> None:
    DOWNLOADS.parent.mkdir(parents=True, mode=0o555)
    fail("data/downloads/dots cannot be read or written: Permission denied")


# by hand ------------------------------------------------------------------------------------------------


def test_an_archive_that_was_put_there_by_hand_is_copied_without_a_network_or_a_credential(
    nobody: KaggleServer,
) -> None:
    content = make_zip(BY_HAND)
    assert take(COMPETITION) == content
    assert BY_HAND.read_bytes() == content
    assert nobody.seen == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html>", "archive.zip .* is not a zip archive. It is a web page"),
        (None, f"archive.zip is not the archive that params.yaml asks for.* expected {'0' * 64}"),
    ],
    ids=["page", "sha256"],
)
def test_a_wrong_archive_that_was_put_there_by_hand_is_refused_and_left_alone(
    nobody: KaggleServer, content: bytes | None, words: str
) -> None:
    there = make_zip(BY_HAND)
    if content:
        BY_HAND.write_bytes(there := content)
    fail(words, KaggleSource(kind="kaggle", dataset="alice/dots", sha256="0" * 64))
    assert BY_HAND.read_bytes() == there
    assert nobody.seen == []


# as a command -------------------------------------------------------------------------------------------


def test_where_there_is_no_terminal_a_line_now_and_then_says_how_far_it_is(
    server: KaggleServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(transfer, "LOG_INTERVAL_SECONDS", 0.0)
    content = take()
    lines = [record.message for record in caplog.records if "%" in record.message]
    assert re.fullmatch(rf"… Kaggle's dataset alice/dots: 65,536 of {len(content):,} bytes \(16 %\)", lines[0])
    assert [line[-5:] for line in lines] == ["16 %)", "32 %)", "49 %)", "65 %)", "81 %)", "98 %)"]


@pytest.fixture
def start(nobody: KaggleServer, home: Path, project: Path) -> Callable[..., subprocess.Popen[str]]:
    """Gives what starts `python -m stages download dots` on a page that wants the dataset from Kaggle."""
    page = make_page(project, "label\n")
    page["datasets"]["dots"]["source"] = {"kind": "kaggle", "dataset": "alice/dots"}
    save_page(project, page)

    def popen(*words: str, **options: object) -> subprocess.Popen[str]:
        environment = {**os.environ, **nobody.environment, "KAGGLE_API_TOKEN": TOKEN, "VERBOSE": "1"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
        return subprocess.Popen([sys.executable, "-m", "stages", "download", "dots", *words], **pipes | options)

    return popen


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    assert [secret for secret in SECRETS if secret in f"{out}{err}"] == []
    return process.returncode, out, err


def test_the_stage_downloads_from_kaggle_and_says_so_in_one_line(
    start: Callable[..., subprocess.Popen[str]], nobody: KaggleServer, delivered: Path
) -> None:
    status, out, err = end(start())
    assert (status, err) == (0, "")
    assert re.fullmatch(r"download dots: took Kaggle's dataset alice/dots \(2 files, .*\), wrote data/raw/dots\n", out)
    arrived = Path("data/raw/dots/archive.zip").read_bytes()
    assert arrived == (delivered / "datasets/alice/dots.zip").read_bytes()
    assert [one.kind for one in nobody.seen] == ["sign-in", "api", "storage", "metadata"]
    assert "licences" not in json.loads(Path("data/raw/dots.json").read_text())


def test_the_licences_of_a_dataset_are_written_down_with_its_archive(server: KaggleServer) -> None:
    server.licences = ["CC0-1.0", "DbCL-1.0"]
    raw = Path("data/raw/dots")
    raw.mkdir(parents=True)
    fetch(DATASET, raw, DOWNLOADS)
    save_provenance(DATASET, raw, Path("data/raw/dots.json"))
    assert json.loads(Path("data/raw/dots.json").read_text())["licences"] == ["CC0-1.0", "DbCL-1.0"]
    assert not DOWNLOADS.exists()


@pytest.mark.parametrize("trouble", ["silent", "nothing told"])
def test_a_licence_that_cannot_be_had_stops_no_download(
    server: KaggleServer, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    if trouble == "silent":
        server.silent.append("metadata")
    else:
        server.licences = None
    take()
    assert [one.kind for one in server.seen][-1] == "metadata"
    assert not DOWNLOADS.exists()
    assert ("its licence is not known" in caplog.text) == (trouble == "silent")


def test_an_archive_taken_by_hand_and_a_competition_ask_for_no_licence(server: KaggleServer) -> None:
    take(COMPETITION)
    make_zip(BY_HAND)
    take()
    assert server.of("metadata") == []


def test_a_traceback_shows_no_secret(start: Callable[..., subprocess.Popen[str]], nobody: KaggleServer) -> None:
    nobody.storage_faults.append(Fault(403))
    status, out, err = end(start("--debug"))
    assert (status, out) == (1, "")
    assert err.startswith("Traceback")
    assert "where Kaggle keeps the archive, answered 403" in err


def test_a_disk_that_fills_up_keeps_what_arrived(
    start: Callable[..., subprocess.Popen[str]], nobody: KaggleServer, delivered: Path
) -> None:
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))  # noqa: E731
    status, _, err = end(start(preexec_fn=limit))
    size = (delivered / "datasets/alice/dots.zip").stat().st_size
    assert status == 1
    assert f"archive.zip.part cannot be written: File too large. It needs {size - 150_000:,} bytes more" in err
    assert not Path("data/raw/dots").exists()
    assert end(start())[0] == 0
    assert nobody.of("storage")[-1].headers["Range"] == "bytes=150000-"


def test_a_terminal_shows_a_bar(start: Callable[..., subprocess.Popen[str]]) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 120))
    process = start(stderr=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # the terminal's end
        while some := os.read(ours, 1 << 16):
            shown += some
    os.close(ours)
    assert end(process)[0] == 0
    assert re.search(rb"Kaggle's dataset alice/dots: +100%.*401k/401k .*B/s", shown)


def test_two_at_once_do_not_write_into_one_file(
    start: Callable[..., subprocess.Popen[str]], nobody: KaggleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody.rate = 200_000
    process = start()
    while not PART.exists():
        time.sleep(0.05)
    monkeypatch.setattr("podium.files.LOCK_GRACE_SECONDS", 0)
    fail("is being downloaded by another process. Wait until it ends", kind=TransientError)
    nobody.rate = None
    assert end(process)[0] == 0
    assert not DOWNLOADS.exists()


def arrived() -> int:
    return PART.stat().st_size if PART.exists() else 0


@pytest.mark.slow
def test_kills_at_any_moment_and_reruns_end_with_the_same_bytes(
    start: Callable[..., subprocess.Popen[str]], nobody: KaggleServer, delivered: Path
) -> None:
    content = make_zip(delivered / "datasets/alice/dots.zip", size=20_000_000)
    nobody.rate = 2_000_000
    for ending in (signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGKILL, None):
        had = arrived()
        process = start()
        time.sleep(random.uniform(0.2, 1.6))  # noqa: S311 - no secret
        while ending != signal.SIGKILL and arrived() == had:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(ending or signal.SIGKILL)
        process.communicate(timeout=60)
        assert not Path("data/raw/dots").exists()
    nobody.rate = None
    assert end(start())[0] == 0
    assert Path("data/raw/dots/archive.zip").read_bytes() == content
    assert not DOWNLOADS.exists()
    assert nobody.of("storage")[-1].status == 206


def test_a_person_can_start_the_server(
    start: Callable[..., subprocess.Popen[str]], delivered: Path, project: Path
) -> None:
    words = [sys.executable, "-m", "tests.kaggle_server", str(delivered), "--port", "0", "--fault", "cut"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as server:
        assert server.stdout is not None
        server.stdout.readline()
        environment = dict(word.split("=", 1) for word in server.stdout.readline().split()[1:])
        status, out, err = end(start(env={**os.environ, **environment}))
        server.terminate()
    assert (status, err) == (0, "")
    assert "Waiting" in out
