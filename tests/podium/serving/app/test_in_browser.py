"""The app as people use it: its own process, and a real Chromium with a camera that shows a picture of ours."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from mlflow import MlflowClient

from podium.images.given import MAX_BYTES
from podium.serving.feedback import Feedback
from podium.serving.finding import find_model
from podium.serving.predictor import Predictor
from tests.browser import chromium, save_film
from tests.makers import REPOSITORY
from tests.podium.serving.app.projects import make_project
from tests.podium.serving.app.stand_ins import draw
from tests.servers import find_free_port, wait_for
from tests.sharing import shared_server

pytestmark = pytest.mark.slow

SECONDS = 60_000
"""Milliseconds that a part of the page may take on a busy machine."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Iterator[tuple[str, Path]]:
    """The address of `podium serve` with `dots/1` first, one for all processes of this run; and its project."""

    def start(folder: Path) -> tuple[str, int]:
        root, port = folder / "project", find_free_port()
        make_project(root, store)
        environment = {name: text for name, text in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        with (folder / "said.txt").open("wb") as said:
            server = subprocess.Popen(
                [sys.executable, "-m", "podium.cli", "serve", "dots/1", "dots@champion", "--port", str(port)],
                cwd=root,
                env=environment | {"PYTHONPATH": str(REPOSITORY)},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_for(f"http://127.0.0.1:{port}/", server)
        _STARTED.append(server)
        return f"http://127.0.0.1:{port} {root}", server.pid

    with shared_server(tmp_path_factory, "app", start) as known:
        address, _, root = known.partition(" ")
        yield address, Path(root)
    for server in _STARTED:
        server.poll()  # it was waited for by another name


_STARTED: list["subprocess.Popen[bytes]"] = []
"""Kept, as another process of the test run may be the one that ends the server."""


@pytest.fixture
def address(served: tuple[str, Path]) -> str:
    return served[0]


@pytest.fixture
def root(served: tuple[str, Path]) -> Path:
    return served[1]


@contextmanager
def visiting(film: Path) -> Iterator[Any]:
    """Give a page of a Chromium whose camera shows a film, and check that it asks no other host."""
    with chromium(film) as browser:
        page = browser.new_context(viewport={"width": 1280, "height": 900}, permissions=["camera"]).new_page()
        page.set_default_timeout(SECONDS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        yield page
        outside = [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))]
        assert outside == []


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of one picture, light on its left."""
    pixels = np.zeros((480, 640, 3), np.uint8)
    pixels[:, :320] = 230
    save_film(tmp_path / "film.mjpeg", pixels)
    return tmp_path / "film.mjpeg"


def choose(page: Any, name: str, text: str) -> None:
    page.locator(f"#{name} input").click()
    page.locator(f"#{name} input").fill(text)
    page.locator("[role=option]", has_text=text).first.click()


def upload(page: Any, name: str, data: bytes) -> None:
    clear = page.locator("#picture button[aria-label='Clear'], #picture button[title='Clear']")
    if clear.count():
        clear.first.click()
    page.locator("#picture input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


def test_a_visitor_asks_compares_corrects_and_sees_a_new_champion(address: str, root: Path, film: Path) -> None:
    with visiting(film) as page:
        page.goto(address)
        page.locator("#examples button img").first.wait_for()
        page.locator("#examples button:has(img)").nth(1).click()
        page.locator("#answer .headline").wait_for()
        assert page.locator("#answer img").get_attribute("alt") == "The image with the box that the model draws"

        page.locator("#right").click()
        page.locator("#kept", has_text="the dataset knows it").wait_for()

        upload(page, "broken.png", draw()[:100])
        page.locator("#answer", has_text="This image cannot be used").wait_for()

        upload(page, "image.png", draw(30))
        page.locator("#answer figcaption", has_text="30 × 30 pixels").wait_for()
        choose(page, "second", "dots/2")
        page.locator("#answer .answers.n2").wait_for()

        choose(page, "label", "both")
        page.locator("#wrong").click()
        page.locator("#kept", has_text="1 of dots waits for review").wait_for()
        page.locator("#about", has_text="of 1 images that people labelled here").wait_for()
        (kept,) = Feedback(root, "dots").waiting()
        assert kept.label == "both"
        assert [one.model for one in kept.said] == ["dots/1", "dots/2"]
        assert (root / "data/feedback/dots/images" / kept.file).read_bytes() == draw(30)

        choose(page, "first", "dots@champion")
        page.locator("#answer [aria-label='Answer of dots/1']").wait_for()
        MlflowClient(f"sqlite:///{root / 'mlflow.db'}").set_registered_model_alias("dots", "champion", "2")
        page.locator("#about [aria-label='About dots/2']", has_text="champion").first.wait_for()
        upload(page, "image.png", draw(31))
        page.locator("#answer [aria-label='Answer of dots/2']").wait_for()


def test_the_live_camera_is_answered(address: str, root: Path, film: Path) -> None:
    (expected,) = Predictor.load(find_model(root, "dots/1")).predict([film.read_bytes()])
    with visiting(film) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(address)
        page.locator("#first input").wait_for()
        page.get_by_role("tab", name="Live camera").click()
        page.locator("#live button", has_text="Access Webcam").click()
        page.locator("#live button", has_text="Record").click()
        page.locator("#answer .headline .label", has_text=expected["label"]).wait_for()
        assert page.locator("#answer figcaption").inner_text().startswith("640 × 480 pixels")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_files_of_this_machine_and_events_for_programs_are_not_served(address: str, root: Path) -> None:
    for name in ("/etc/passwd", str(root / "mlflow.db"), str(root / "dvc.yaml"), "../../../../etc/passwd"):
        assert requests.get(f"{address}/gradio_api/file={name}", timeout=30).status_code in (403, 404), name
    config = requests.get(f"{address}/config", timeout=30).json()
    assert {one["api_visibility"] for one in config["dependencies"]} == {"private"}
    assert str(root) not in requests.get(f"{address}/config", timeout=30).text
    large = {"files": ("large.png", b"0" * (MAX_BYTES + 1))}
    assert requests.post(f"{address}/gradio_api/upload", files=large, timeout=60).status_code == 413
