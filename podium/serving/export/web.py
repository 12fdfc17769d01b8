"""The browser page: a folder for any file server, with the model, what runs it, and the camera."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from podium.errors import PodiumError
from podium.serving.export.browser import MILLISECONDS, open_page
from podium.serving.export.runtimes import get_runtime
from podium.serving.export.source import Source
from podium.serving.export.target import Door, Target, UnfitError
from podium.tracking.classifier import Answer

if TYPE_CHECKING:
    from playwright.sync_api import Page

_ASK = """async (text) => {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  return await window.podium.predict(new Blob([bytes]));
}"""


def _finish(source: Source, folder: Path) -> None:
    from podium.serving.page import describe, write_page

    try:
        runtime = get_runtime("onnxruntime-web")
    except PodiumError as error:
        raise UnfitError(str(error).rstrip(".")) from error
    write_page(folder, source.convertible.onnx, describe(source.predictor), runtime)


class _Page:
    def __init__(self, page: "Page") -> None:
        self._page = page

    def answer(self, files: list[bytes]) -> list[Answer]:
        return [dict(self._page.evaluate(_ASK, base64.b64encode(data).decode())) for data in files]


@contextmanager
def _open(folder: Path) -> Iterator[Door]:
    with open_page({"/": folder}) as page:
        page.wait_for_function("() => window.podium", timeout=MILLISECONDS)
        page.evaluate("() => window.podium.ready.then(() => true)")
        yield _Page(page)


TARGET = Target(
    what="a page for browsers, with the camera",
    how="""Put the folder on any file server, or try it on this machine, then open http://127.0.0.1:8000:

```console
$ python -m http.server --bind 127.0.0.1 8000
```

Elsewhere than on one's own machine a browser gives the camera to pages over https alone.""",
    finish=_finish,
    door=_open,
    door_title="page in Chromium",
)
