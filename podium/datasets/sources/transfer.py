"""A download over http that goes on where it stopped: after a cut, a kill, or a busy server's refusal.

Beside the growing file lies a page that says of what it is a part: ETag, date and size, as the server gave them.
The rest is asked for by Range, and taken only if it is the rest of that very file; else all begins anew. Not
every storage knows If-Range (Google's does not list it), so the answer is looked at, too.

Own code: the Kaggle client's download has no timeout, does not wait when a server asks for it, and verifies nothing.
"""

import json
import logging
import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError
from tqdm import tqdm
from urllib3.exceptions import (
    ConnectTimeoutError,
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Retry

from podium.errors import PodiumError, TransientError
from podium.files import atomic_write, remove
from podium.progress import PROGRESS

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = (10.0, 60.0)
"""Seconds that a connection may take, and that may pass between two bytes."""
MAX_TRIES = 5
"""So often in a row nothing new may arrive."""
FIRST_WAIT_SECONDS = 1.0
"""Seconds before the second try; each further wait is twice as long."""
MAX_WAIT_SECONDS = 300.0
"""Seconds; a server that asks for more is not waited for."""
LOG_INTERVAL_SECONDS = 5.0
"""Seconds, at least, between two lines on how far it is where there is no terminal; each also stands for 10 %."""

_CHUNK = 1 << 16
_SAME = ("ETag", "Last-Modified")

Ask = Callable[[dict[str, str]], Response]
"""Sends the request for the file, with these headers in it, and gives the answer, a stream; raises for an error."""


class Transport(HTTPAdapter):
    """What a session sends by: every request gets a time-out, and GETs get `headers`. Mount it on `https://`."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[str, str] = {}

    def send(self, request: PreparedRequest, *_: Any, **options: Any) -> Response:
        """Send one request; a session calls this for each, redirects too."""
        if request.method == "GET":
            request.headers.update(self.headers)
        return super().send(request, **options | {"timeout": TIMEOUT_SECONDS})


def download(ask: Ask, part: Path, what: str) -> None:
    """Bring a file here, whole.

    Args:
        ask: how to ask for it.
        part: where to write it. An earlier call's part is resumed.
        what: its name, for log lines and messages.

    Raises:
        TransientError: the server or the network has trouble that may pass; what arrived is kept.
        PodiumError: the disk is full, or a web page came instead.
        RequestException: the request was refused for good.
    """
    tries = most = 0
    while True:
        try:
            return _receive(ask, part, what)
        except RequestException as error:
            if error.response is not None:
                error.response.close()
            if not _is_transient(error):
                raise
            if _status(error) == 416:  # what is here is no part of what the server has
                forget(part)
            arrived = _length(part)
            tries = 1 if arrived > most else tries + 1
            most = max(most, arrived)
            wait, reason = _wait(error, tries), _reason(error)
            if tries == MAX_TRIES or wait > MAX_WAIT_SECONDS:
                moment = datetime.now().astimezone() + timedelta(seconds=max(wait, MAX_WAIT_SECONDS))
                often = f", {tries} times in a row" if tries > 1 else ""
                kept = f"; it goes on from the {arrived:,} bytes that are here" if arrived else ""
                raise TransientError(
                    f"{what} cannot be downloaded now: {reason}{often}. "
                    f"Type `dvc repro` again after {moment:%H:%M on %d %B}{kept}."
                ) from None
            logger.info("%s: %s. Waiting %.1f seconds before try %s of %s", what, reason, wait, tries + 1, MAX_TRIES)
            time.sleep(wait)


def ask_size(ask: Ask, what: str) -> int | None:
    """Ask how many bytes a file has, and take none of them; None if the server does not say.

    Raises:
        TransientError: the server or the network has trouble that may pass.
        RequestException: the request was refused for good.
    """
    try:
        with ask({"Accept-Encoding": "identity"}) as answer:
            length = answer.headers.get("Content-Length", "")
            is_page = answer.headers.get("Content-Type", "").startswith("text/html")
            return int(length) if length.isdigit() and not is_page else None
    except RequestException as error:
        if error.response is not None:
            error.response.close()
        if _is_transient(error):
            raise TransientError(f"{what} cannot be asked for now: {_reason(error)}.") from None
        raise


def forget(part: Path) -> None:
    """Remove what arrived, so that the next download begins anew."""
    remove(_page(part))
    remove(part)


def ensure_space(path: Path, needed: int) -> None:
    """Make sure that the disk of a file takes so many bytes more; raise PodiumError if it does not."""
    if shutil.disk_usage(path.parent).free < needed:
        raise _no_space(path, needed, "No space left on device")


def _receive(ask: Ask, part: Path, what: str) -> None:
    """Ask once, and write what comes."""
    known, start = _read_page(part), 0
    headers = {"Accept-Encoding": "identity"}
    if known:  # the last byte is asked for even if it is here: so a whole file is also compared
        start = min(_length(part), known["size"] - 1)
        headers |= {"Range": f"bytes={start}-", "If-Range": known["validator"]}
    with ask(headers) as answer:
        if answer.status_code == 206:
            if not known or not _continues(answer, known, start):
                forget(part)
                raise RequestException("changed", response=answer)
            size: int | None = known["size"]
        else:
            if answer.headers.get("Content-Type", "").startswith("text/html"):
                raise PodiumError(
                    f"{urlsplit(answer.url).hostname} sent a web page where {what} was expected: a login, or a notice "
                    "of the network that this machine is in."
                )
            start, size = 0, _begin(answer, part)
        ensure_space(part, (size or 0) - start)
        with part.open("r+b") as file:
            file.seek(start)
            file.truncate()
            try:
                for chunk in _watched(answer.iter_content(_CHUNK), start, size, what):
                    file.write(chunk)
                file.flush()
            except RequestException:
                raise
            except OSError as error:
                raise _no_space(part, (size or 0) - _length(part), error.strerror) from None
        if size is not None and _length(part) != size:
            raise requests.ConnectionError("cut", request=answer.request)


def _begin(answer: Response, part: Path) -> int | None:
    """Empty the part, and write its page; give the whole file's size in bytes, if the server says it."""
    forget(part)
    part.touch()
    length = answer.headers.get("Content-Length")
    etag, date = (answer.headers.get(name) for name in _SAME)
    validator = date if etag is None or etag.startswith("W/") else etag  # If-Range takes no weak one
    if length and int(length) and validator:
        with atomic_write(_page(part)) as page:
            page.write_text(json.dumps({"validator": validator, "size": int(length), "ETag": etag, _SAME[1]: date}))
    return int(length) if length else None


def _continues(answer: Response, known: dict[str, Any], start: int) -> bool:
    """Whether an answer is the rest, from `start`, of the file that is known."""
    same = all(answer.headers.get(name, known[name]) == known[name] for name in _SAME)
    return same and answer.headers.get("Content-Range") == f"bytes {start}-{known['size'] - 1}/{known['size']}"


def _page(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_page(part: Path) -> dict[str, Any] | None:
    try:
        known: dict[str, Any] = json.loads(_page(part).read_text())
        return known if part.is_file() else None
    except (FileNotFoundError, ValueError):
        return None


def _length(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _no_space(path: Path, needed: int, reason: str | None) -> PodiumError:
    return PodiumError(
        f"{path} cannot be written: {reason}. It needs {needed:,} bytes more, and "
        f"{shutil.disk_usage(path.parent).free:,} are free there. Make room and type `dvc repro`; what arrived is kept."
    )


def _watched(chunks: Iterable[bytes], done: int, total: int | None, what: str) -> Iterator[bytes]:
    """Give the chunks on, and show how far it is: a bar on a terminal, a line now and then where there is none."""
    said, moment = done, time.monotonic()
    with tqdm(desc=what, initial=done, total=total, unit="B", unit_scale=True, disable=None) as bar:
        for chunk in chunks:
            yield chunk
            done += len(chunk)
            bar.update(len(chunk))
            if (
                bar.disable
                and total
                and done - said >= total / 10
                and time.monotonic() - moment >= LOG_INTERVAL_SECONDS
            ):
                said, moment = done, time.monotonic()
                percent = 100 * done // total
                logger.info("%s%s: %s of %s bytes (%d %%)", PROGRESS, what, f"{done:,}", f"{total:,}", percent)


def _status(error: RequestException) -> int | None:
    return None if error.response is None else error.response.status_code


def _is_transient(error: RequestException) -> bool:
    status = _status(error)
    if status is None:
        return isinstance(error, (requests.ConnectionError, requests.Timeout, ChunkedEncodingError))
    return status in (206, 408, 416, 429) or status >= 500


def _wait(error: RequestException, tries: int) -> float:
    """Give the seconds to wait: what the server asks for, else twice as long each time; never quite the same."""
    with suppress(InvalidHeader):
        if error.response is not None and (asked := error.response.headers.get("Retry-After")):
            return Retry().parse_retry_after(asked) + random.uniform(0, FIRST_WAIT_SECONDS)  # noqa: S311 - no secret
    return random.uniform(FIRST_WAIT_SECONDS, 1.5 * FIRST_WAIT_SECONDS) * 2.0 ** (tries - 1)  # noqa: S311 - no secret


def _reason(error: RequestException) -> str:
    """Say what happened. Not in the error's own words: they hold the address, and a storage's address is signed."""
    host = urlsplit(str(error.request.url)).hostname if error.request else "the server"
    if (answer := error.response) is not None:
        if answer.status_code in (206, 416):
            return "the file on the server is another now, and all begins anew"
        return f"{host} answered {answer.status_code} ({answer.reason})"
    cause = error.args[0] if error.args else None
    match getattr(cause, "reason", cause):
        case NameResolutionError():
            return f"the name {host} is not found; is this machine online?"
        case NewConnectionError():  # urllib3 has it for a kind of the next
            return f"{host} cannot be reached"
        case ConnectTimeoutError() | ReadTimeoutError():
            return f"{host} kept silent for too long"
        case ProxyError():
            return "the proxy that the environment names (HTTPS_PROXY) does not answer"
        case SSLError():
            return f"the certificate of {host} is not trusted here"
        case _:
            return f"the connection to {host} was cut"
