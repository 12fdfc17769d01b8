"""The live page in Chromium: how many pictures of the camera it answers about in a second, and what its folder weighs.

Each model is one of the recipes, exported as `podium export --to web` does it, with weights by chance: what they are
does not matter here. The page is served by Python's own file server and opened in headless Chromium, without a GPU. Its
camera shows a film of 640 × 480 pixels, 30 pictures a second, made of noise. The figure is the one that the page itself
shows, from the camera to the drawn answer, read once a second. "Ready" is from the first byte to the first answer that
it can give, nothing kept from before; 1 MB is 10⁶ bytes.
"""

import io
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image as Pillow

from bench.options import Options
from bench.report import Row
from bench.workspace import ROOT, Skipped
from podium.config import load_params
from podium.config.datasets import Image
from podium.errors import PodiumError
from podium.serving.export.browser import find_chromium
from podium.serving.export.runtimes import get_runtime
from podium.serving.export.target import MissingError

DURATION = "About a minute"

MODELS = {
    "digits-cnn, the shipped page": ("digits", "digits-cnn", 10, 10.0),
    "photo-cnn of cats_vs_dogs": ("cats_vs_dogs", "photo-cnn", 2, 10.0),
    "car-mobilenet of car_damage": ("car_damage", "car-mobilenet", 8, 5.0),
}
"""Recipe, candidate, classes, and how many pictures a second are wanted."""
MOST_MEGABYTES = 20.0
WARM_SECONDS, PICTURES = 3, 30
MILLISECONDS = 60_000
ARGUMENTS = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--no-sandbox")


@dataclass(frozen=True)
class Figures:
    """What was measured of a page: pictures a second as it went on, seconds until it was ready, megabytes."""

    speeds: list[float]
    ready: float
    size: float


def measure(options: Options) -> list[Row]:
    """Measure each model's page."""
    try:
        program, runtime = find_chromium(), get_runtime("onnxruntime-web")
    except (MissingError, PodiumError) as reason:
        raise Skipped(str(reason)) from None
    rows = []
    with tempfile.TemporaryDirectory(prefix="podium-bench-") as temporary:
        film = Path(temporary) / "film.mjpeg"
        save_film(film)
        for what, (recipe, candidate, classes, wanted) in MODELS.items():
            folder = Path(temporary) / candidate
            image = export(folder, recipe, candidate, classes, runtime)
            found = look(program, film, folder, options.repeat(8))
            rows += describe(f"{what}, {image.height} × {image.width} × {image.channels}", found, wanted)
    return rows


def describe(what: str, found: Figures, wanted: float) -> list[Row]:
    speed = median(found.speeds)
    spread = f"{speed:.1f} a second ({min(found.speeds):.1f}–{max(found.speeds):.1f})"
    return [
        Row(f"{what}: pictures answered", spread, target=f"at least {wanted:g} a second", reached=speed >= wanted),
        Row(f"{what}: ready after", f"{found.ready:.1f} s"),
        Row(
            f"{what}: the folder",
            f"{found.size:.1f} MB",
            target=f"under {MOST_MEGABYTES:g} MB",
            reached=found.size < MOST_MEGABYTES,
        ),
    ]


def export(folder: Path, recipe: str, candidate: str, classes: int, runtime: Path) -> Image:
    """Write the page of a recipe's candidate, untrained; give the images that it takes."""
    from podium.models import zoo  # TensorFlow: seconds
    from podium.serving.export.source import convertible
    from podium.serving.page import PageFacts, write_page
    from podium.tracking.classifier import Size

    params = load_params(ROOT / "recipes" / f"{recipe}.yaml")
    chosen = params.candidates[candidate]
    image, model = params.datasets[chosen.dataset].image, chosen.model
    if hasattr(model, "weights"):
        model = replace(model, weights="random")  # type: ignore[call-arg]
    names = tuple(f"class {number}" for number in range(classes))
    size = Size(image.height, image.width, image.channels, image.resize)
    facts = PageFacts(candidate, "1", chosen.dataset, names, size, None, boxes=False)
    with convertible(zoo.build(model, image.shape, {"label": classes})) as form:
        write_page(folder, form.onnx, facts, runtime)
    return image


def save_film(path: Path) -> None:
    """Write a film of noise, as Chromium's camera takes it: JPEGs in a row."""
    draw = np.random.default_rng(0)
    film = io.BytesIO()
    for _ in range(PICTURES):
        coarse = draw.integers(0, 256, (30, 40, 3), dtype=np.uint8)
        Pillow.fromarray(coarse).resize((640, 480), Pillow.Resampling.BICUBIC).save(film, "JPEG", quality=90)
    path.write_bytes(film.getvalue())


def look(program: str, film: Path, folder: Path, seconds: int) -> Figures:
    """Open a page, start its camera, and read its speed once a second."""
    from playwright.sync_api import sync_playwright

    arguments = [*ARGUMENTS, "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
    with serve(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        page = browser.new_context(permissions=["camera"]).new_page()
        began = time.monotonic()
        page.goto(address)
        page.wait_for_selector("#camera:enabled", timeout=MILLISECONDS)
        ready = time.monotonic() - began
        page.click("#camera")
        page.wait_for_selector("#speed:not([hidden])", timeout=MILLISECONDS)
        page.wait_for_timeout(1000 * WARM_SECONDS)
        speeds = [read_speed(page) for _ in range(seconds)]
        browser.close()
    return Figures(speeds, ready, sum(path.stat().st_size for path in folder.iterdir()) / 1e6)


def read_speed(page: Any) -> float:
    page.wait_for_timeout(1000)
    return float(page.inner_text("#speed").split()[0])


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder to this machine; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Python's file server without its log."""

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name in the standard library
        pass
