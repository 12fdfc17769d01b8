"""Real Chromium as a runtime: the exported file in a page without anything else, served from this machine to itself.

Playwright drives it. Both are optional: where one is missing, the rows of browsers say so.
"""

import base64
import json
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from podium.errors import PodiumError
from podium.processes import guard_children
from podium.serving.export.runtimes import Name, get_runtime
from podium.serving.export.target import Heads, MissingError, Runner

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM: Final = "PODIUM_CHROMIUM"
"""Variable of the environment: the program, if it is not found by one of these names."""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SWITCHES = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
MILLISECONDS: Final = 120_000
"""For a page to load its model."""
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".css": "text/css",
    ".webmanifest": "application/manifest+json",
    ".json": "application/json",
}

_BEGIN = """<!doctype html><meta charset="utf-8"><script>
const tell = event => { window.mistake ??= String(event.reason ?? event.error ?? event.message); };
addEventListener("error", tell);
addEventListener("unhandledrejection", tell);
</script>"""
_DECODE = """
function decode(text, shape) {
  return [Uint8Array.from(atob(text), letter => letter.charCodeAt(0)), shape];
}
"""
_ONNX_PAGE = f"""{_BEGIN}<script type="module">
import * as ort from "/runtime/ort.wasm.bundle.min.mjs";
{_DECODE}
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create("/model/NAME");
window.ask = async (text, shape) => {{
  const [pixels] = decode(text, shape);
  const said = await session.run({{image: new ort.Tensor("uint8", pixels, shape)}});
  return Object.fromEntries(Object.entries(said).map(([name, head]) => [name, [head.dims, Array.from(head.data)]]));
}};
window.ready = true;
</script>"""
_TFJS_PAGE = f"""{_BEGIN}<script src="/runtime/tf.min.js"></script><script type="module">
{_DECODE}
const model = await tf.loadLayersModel("/model/NAME");
const {{resize}} = model.getUserDefinedMetadata();
window.ask = async (text, shape) => {{
  const [pixels] = decode(text, shape);
  const said = tf.tidy(() => {{
    const image = tf.tensor4d(Float32Array.from(pixels), shape);
    const seen = resize ? tf.image.resizeBilinear(image, resize, false, true) : image;
    return [model.predict(seen)].flat();
  }});
  const heads = {{}};
  for (let row = 0; row < said.length; row++)
    heads[model.outputNames[row]] = [said[row].shape, Array.from(await said[row].data())];
  tf.dispose(said);
  return heads;
}};
window.ready = true;
</script>"""


def find_chromium() -> str:
    """Give the path of Chromium.

    Raises:
        MissingError: it is not there, or Playwright is not.
    """
    if find_spec("playwright") is None:
        raise MissingError("playwright is not installed: `pip install -r requirements.txt`")
    named = os.environ.get(CHROMIUM)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise MissingError(f"there is no Chromium on PATH; `export {CHROMIUM}=PROGRAM` names it")
    return found


@contextmanager
def open_page(folders: Mapping[str, Path], texts: Mapping[str, str] | None = None) -> Iterator["Page"]:
    """Open `/` of some folders in headless Chromium; nothing from another host is loaded.

    Args:
        folders: to be served, by the beginning of their addresses: `{"/model/": …}`.
        texts: pages to be served, by their addresses.

    Raises:
        MissingError: see `find_chromium`.
    """
    program = find_chromium()
    guard_children()
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, folders, texts or {}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    root = hasattr(os, "geteuid") and os.geteuid() == 0  # Chromium has no sandbox for root
    try:
        with sync_playwright() as playwright:
            switches = [*_SWITCHES, *(["--no-sandbox"] if root else [])]
            browser = playwright.chromium.launch(executable_path=program, args=switches)
            try:
                page = browser.new_page()
                page.route(
                    "**/*", lambda route: route.continue_() if route.request.url.startswith(origin) else route.abort()
                )
                page.goto(f"{origin}/")
                yield page
            finally:
                browser.close()
    finally:
        server.shutdown()
        server.server_close()


class _Files(BaseHTTPRequestHandler):
    """Gives files of a few folders to this machine."""

    def __init__(self, folders: Mapping[str, Path], texts: Mapping[str, str], *arguments: Any) -> None:
        self._folders, self._texts = folders, texts
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer a request."""
        address = self.path.partition("?")[0]
        data = self._texts[address].encode() if address in self._texts else self._read(address)
        self.send_response(HTTPStatus.NOT_FOUND if data is None else HTTPStatus.OK)
        suffix = Path(address).suffix or ".html"
        self.send_header("Content-Type", _KINDS.get(suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def _read(self, address: str) -> bytes | None:
        for begin, folder in self._folders.items():
            path = (folder / address.removeprefix(begin)).resolve()
            path = path / "index.html" if path.is_dir() else path
            if address.startswith(begin) and path.is_relative_to(folder.resolve()) and path.is_file():
                return path.read_bytes()
        return None

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - as http.server names it
        """Say nothing."""


class _PageRunner:
    def __init__(self, page: "Page") -> None:
        self._page = page

    def predict_on_batch(self, pixels: NDArray[np.uint8]) -> Heads:
        text = base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
        said = self._page.evaluate("([text, shape]) => window.ask(text, shape)", [text, list(pixels.shape)])
        return {name: np.array(numbers, np.float32).reshape(shape) for name, (shape, numbers) in said.items()}


@contextmanager
def _open(path: Path, name: Name, html: str) -> Iterator[Runner]:
    find_chromium()  # before a runtime is fetched for nothing
    try:
        runtime = get_runtime(name)
    except PodiumError as error:
        raise MissingError(str(error)) from error
    folders = {"/runtime/": runtime, "/model/": path.parent}
    with open_page(folders, {"/": html.replace("NAME", json.dumps(path.name)[1:-1])}) as page:
        page.wait_for_function("() => window.ready || window.mistake", timeout=MILLISECONDS)
        if mistake := page.evaluate("() => window.mistake"):
            raise ValueError(f"the browser cannot load it: {mistake}")
        yield _PageRunner(page)


open_onnxruntime_web = partial(_open, name="onnxruntime-web", html=_ONNX_PAGE)
"""Start onnxruntime-web (WebAssembly, one thread) in Chromium with an ONNX file."""
open_tfjs = partial(_open, name="tfjs", html=_TFJS_PAGE)
"""Start TensorFlow.js in Chromium with a `model.json`."""
