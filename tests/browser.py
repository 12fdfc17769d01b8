"""Chromium, its camera, and a file server: for tests that look at pages as people do.

Playwright drives the Chromium of the system. Its camera shows a film that is made here; without a film there are two
cameras, with Chromium's own pattern. A context has to be allowed to use them. `HOST` leads to this machine, but is no
localhost: a browser trusts it as little as any other host.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from podium.errors import PodiumError
from podium.serving.export.browser import find_chromium
from podium.serving.export.runtimes import get_runtime
from podium.serving.export.target import MissingError

HOST = "podium.test"
FRAMES = 30
"""Of the film; it starts again after them."""

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-device-for-media-stream=device-count=2", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"),
)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the standard library
        pass


@contextmanager
def file_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder as `python -m http.server` does; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def save_film(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a film that shows one picture (height, width, 3), as Chromium's camera takes it: JPEGs in a row."""
    frame = io.BytesIO()
    Image.fromarray(picture).save(frame, "JPEG", quality=95)
    path.write_bytes(frame.getvalue() * FRAMES)


@contextmanager
def chromium(film: Path | None = None) -> Iterator[Any]:
    """Start a Chromium, whose camera shows a film if there is one; skip the test where there is no Chromium."""
    program = require_chromium()
    from playwright.sync_api import sync_playwright

    shown = [f"--use-file-for-fake-video-capture={film}"] if film else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *shown])
        try:
            yield browser
        finally:
            browser.close()


def require_chromium() -> str:
    """Give the path of Chromium; skip the test where there is none."""
    try:
        return find_chromium()
    except MissingError as reason:
        pytest.skip(str(reason))


def require_runtime() -> Path:
    """Give the folder with onnxruntime-web; skip the test where it cannot be had."""
    try:
        return get_runtime("onnxruntime-web")
    except PodiumError as error:
        pytest.skip(str(error))
