"""Kaggle on loopback: what its client asks for, answered from a folder, in the manner of the real one.

`python -m tests.kaggle_server FOLDER` serves `FOLDER/datasets/<owner>/<slug>.zip` (version 3: `<slug>@3.zip`) and
`FOLDER/competitions/<slug>.zip`, and prints what to type in another shell so that `dvc repro` downloads from here.
The faults that Kaggle and networks have can be switched on: `--help` lists them.
"""

import argparse
import base64
import json
import re
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "podium-fake-access-token"
USER, KEY = "podium-fake-user", "podium-fake-api-key"
REFRESH_TOKEN, OAUTH_TOKEN = "podium-fake-refresh-token", "podium-fake-oauth-token"
SIGNATURE = "podium-fake-signature"
SECRETS = (TOKEN, KEY, REFRESH_TOKEN, OAUTH_TOKEN, SIGNATURE)
BASIC = "Basic " + base64.b64encode(f"{USER}:{KEY}".encode()).decode()


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request: another answer than the right one, or one that breaks off."""

    status: int | None = None
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    page: bool = False
    """A web page comes, with status 200."""
    after: int | None = None
    """The body breaks off after so many bytes …"""
    silence: float = 0.0
    """… or stays silent for so many seconds first."""


FAULTS = {
    "401": Fault(401, "Unauthenticated"),
    "403": Fault(403, "You must accept this competition's rules before you'll be able to download files."),
    "404": Fault(404, "Not found"),
    "429": Fault(429, "Too many requests", {"Retry-After": "2"}),
    "500": Fault(500, "Internal error"),
    "503": Fault(503, "Try later", {"Retry-After": "2"}),
    "page": Fault(page=True),
    "cut": Fault(after=100_000),
    "stall": Fault(after=100_000, silence=90.0),
}


@dataclass
class Seen:
    """A request that was answered."""

    kind: str
    """`api`, `metadata`, `sign-in` or `storage`."""
    headers: dict[str, str]
    asked: dict[str, object]
    status: int = 0
    sent: int = 0
    """Bytes of the archive."""


class KaggleServer(ThreadingHTTPServer):
    """The server; its attributes may be changed while it runs."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder = folder
        self.rate: int | None = None
        """Bytes a second that a body comes with."""
        self.api_faults: deque[Fault] = deque()
        self.storage_faults: deque[Fault] = deque()
        """The next requests' faults, one each."""
        self.licences: list[str] | None = []
        """The licences that every dataset has; None: nothing is told of a dataset."""
        self.silent: list[str] = []
        """The next request of each of these kinds gets no answer for half a second, and then none."""
        self.without: set[str] = set()
        """Headers of the storage's answers that are left out."""
        self.heeds_if_range = True
        self.heeds_range = True
        self.seen: list[Seen] = []

    def handle_error(self, *request: Any) -> None:
        """Tell of what is this server's own fault; a client may hang up whenever it likes."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*request)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes the client of another process come here, for it always asks for port 80 of localhost."""
        proxy = {"HTTP_PROXY": self.address, "http_proxy": self.address, "NO_PROXY": "", "no_proxy": ""}
        return {"KAGGLE_API_ENVIRONMENT": "LOCALHOST", **proxy}

    def of(self, kind: str) -> list[Seen]:
        return [one for one in self.seen if one.kind == kind]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: KaggleServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer as api.kaggle.com does."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = re.sub(r"^/(api/)?v1/", "", urlsplit(self.path).path)
        kind = "api" if "Download" in method else "metadata" if method.endswith("GetDatasetMetadata") else "sign-in"
        if self.begin(kind, asked):
            return
        if kind == "api" and self.server.api_faults and self.fail(self.server.api_faults.popleft()):
            return
        match method:
            case "security.OAuthService/IntrospectToken":
                known = asked["token"] in (TOKEN, OAUTH_TOKEN)
                self.say({"active": known, "username": USER if known else ""})
            case "users.AccountService/GenerateAccessToken" if asked["refreshToken"] == REFRESH_TOKEN:
                self.say({"token": OAUTH_TOKEN, "expiresIn": 43200, "userName": USER})
            case "datasets.DatasetApiService/DownloadDataset" if self.signed_in():
                version = asked.get("datasetVersionNumber")
                name = f"{asked['datasetSlug']}@{version}.zip" if version else f"{asked['datasetSlug']}.zip"
                self.redirect(f"datasets/{asked['ownerSlug']}/{name}")
            case "datasets.DatasetApiService/GetDatasetMetadata" if self.signed_in():
                slug = f"{asked['ownerSlug']}/{asked['datasetSlug']}"
                if self.server.licences is None:
                    self.say({"errorMessage": "not now"})
                    return
                known = [{"name": licence} for licence in self.server.licences]
                self.say({"info": {"datasetSlug": slug, "title": slug, "licenses": known}})
            case "competitions.CompetitionApiService/DownloadDataFiles" if self.signed_in():
                self.redirect(f"competitions/{asked['competitionName']}.zip")
            case _:
                self.fail(FAULTS["401"])

    def do_GET(self) -> None:
        """Answer as the storage does, which knows nobody and lets in whoever has a signed address."""
        address = urlsplit(self.path)
        if self.begin("storage", {"path": address.path}):
            return
        if "Authorization" in self.headers or parse_qs(address.query) != {"signature": [SIGNATURE]}:
            self.fail(Fault(400, "A request is signed in one way"))
            return
        fault = self.server.storage_faults.popleft() if self.server.storage_faults else Fault()
        if not self.fail(fault):
            self.deliver(self.server.folder / address.path.removeprefix("/storage/"), fault)

    def begin(self, kind: str, asked: dict[str, object]) -> bool:
        """Note a request; True if it is to get no answer."""
        self.seen = Seen(kind, dict(self.headers), asked)
        self.server.seen.append(self.seen)
        if silent := kind in self.server.silent:
            self.server.silent.remove(kind)
            time.sleep(2.0)
            self.close_connection = True
        return silent

    def send_response(self, code: int, message: str | None = None) -> None:
        self.seen.status = code
        super().send_response(code, message)

    def signed_in(self) -> bool:
        return self.headers["Authorization"] in (BASIC, f"Bearer {TOKEN}", f"Bearer {OAUTH_TOKEN}")

    def redirect(self, place: str) -> None:
        """Send the client to another host, where it is not to show its credential."""
        if not (self.server.folder / place).is_file():
            self.fail(FAULTS["404"])
            return
        host = "localhost" if (self.headers["Host"] or "").startswith("127.") else "127.0.0.1"
        self.send_response(302)
        self.send_header(
            "Location", f"http://{host}:{self.server.server_address[1]}/storage/{place}?signature={SIGNATURE}"
        )
        self.send_header("Content-Length", "0")
        self.end_headers()

    def say(self, content: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "X-Kaggle-ApiVersion": "99.0.0",
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def fail(self, fault: Fault) -> bool:
        """Answer by a fault; False if it lies in the body of a right answer, or is none."""
        if fault.status:
            self.say({"code": fault.status, "message": fault.message}, fault.status, fault.headers)
        elif fault.page:
            body = b"<!DOCTYPE html><html><body>Sign in</body></html>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        return bool(fault.status or fault.page)

    def deliver(self, path: Path, fault: Fault) -> None:
        """Send a file, or the rest of it that was asked for."""
        facts = path.stat()
        size = facts.st_size
        known = {
            "ETag": f'"{facts.st_mtime_ns:x}-{size:x}"',
            "Last-Modified": formatdate(facts.st_mtime, usegmt=True),
            "Content-Type": "application/zip",
        }
        start = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if self.server.heeds_range else None
        same = self.headers.get("If-Range") in (None, known["ETag"], known["Last-Modified"])
        if wanted and (same or not self.server.heeds_if_range):
            start = int(wanted[1])
            if start >= size:
                self.say({"code": 416}, 416, {"Content-Range": f"bytes */{size}"})
                return
            known["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
        self.send_response(206 if "Content-Range" in known else 200)
        for name, value in {**known, "Accept-Ranges": "bytes", "Content-Length": str(size - start)}.items():
            if name not in self.server.without:
                self.send_header(name, value)
        if "Content-Length" in self.server.without:
            self.close_connection = True
        self.end_headers()
        left = size - start if fault.after is None else min(size - start, fault.after)
        whole = left == size - start
        block = self.server.rate // 50 if self.server.rate else 1 << 16
        try:
            with path.open("rb") as file:
                file.seek(start)
                while left and (content := file.read(min(block, left))):
                    self.wfile.write(content)
                    self.seen.sent += len(content)
                    left -= len(content)
                    if self.server.rate:
                        time.sleep(0.02)
            if not whole:
                time.sleep(fault.silence)
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
        except OSError:  # the client is gone
            self.close_connection = True


@contextmanager
def serve_kaggle(folder: Path, port: int = 0) -> Iterator[KaggleServer]:
    """Serve a folder in this process."""
    with KaggleServer(folder, port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.kaggle_server", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="what is served: datasets/<owner>/<slug>.zip, competitions/<slug>.zip"
    )
    parser.add_argument("--port", type=int, default=8809)
    parser.add_argument("--rate", type=int, help="bytes a second; by default as fast as can be")
    parser.add_argument("--fault", choices=FAULTS, help="what goes wrong with the first download")
    parser.add_argument("--times", type=int, default=1, help="how many times it goes wrong")
    arguments = parser.parse_args()
    with KaggleServer(arguments.folder, arguments.port) as server:
        server.rate = arguments.rate
        faults = server.storage_faults if arguments.fault in ("page", "cut", "stall") else server.api_faults
        faults.extend([FAULTS[arguments.fault]] * arguments.times if arguments.fault else [])
        words = [f"{name}={value}" for name, value in {**server.environment, "KAGGLE_API_TOKEN": TOKEN}.items()]
        print("In another shell:", "export " + " ".join(words), "dvc repro", sep="\n  ", flush=True)
        print("End it with Ctrl-C.", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
