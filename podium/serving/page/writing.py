"""The page's folder, written.

index.html, style.css, main.js …   the page; sw.js keeps all of it on the device
about.json                         what is known of the model
model.onnx                         the model
ort.js, ort.wasm.gz                onnxruntime-web, which runs it; the page unpacks the second one itself
manifest.webmanifest, icon-….png   what a phone needs to install it
*.txt                              the licences of what is not podium's

The wasm is packed, from 14.2 MB to 3.7: a MobileNet's page has 18 MB then, not 28. Every browser that can run the page
can unpack it, and a plain file server would not pack it on the way.
"""

import gzip
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, StrictUndefined

from podium.files import atomic_write, file_digest, json_digest, save_json
from podium.images.given import MAX_BYTES, MAX_WHOLE_PIXELS
from podium.serving.page.facts import PageFacts
from podium.serving.page.icons import draw_icon
from podium.serving.wording import sure

ABOUT, MODEL, RUNTIME = "about.json", "model.onnx", "ort.wasm.gz"
INDEX, WORKER = "index.html", "sw.js"
"""Files of `static` that are filled in; the others are copied."""
ICONS: Final = (192, 512)
"""Pixels of their sides."""
MAX_KNOWN: Final = 40
"""Classes that are named before there is an answer."""
_SCRIPT, _WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
"""Of the npm package onnxruntime-web. The first is copied as .js: some servers do not know .mjs for a script."""


def write_page(folder: Path, onnx: Path, about: PageFacts, runtime: Path) -> None:
    """Write a page that runs a model in the browser.

    Args:
        folder: where to; what stood there is replaced.
        onnx: the model. It takes `image` (n, height, width, channels) uint8 and gives `label` and, if it knows boxes,
            `box`.
        about: what the page is to know of it.
        runtime: the folder with the files of onnxruntime-web, and their licences as `*.txt`
            (`podium.serving.export.runtimes.get_runtime`).
    """
    with atomic_write(folder) as part:
        part.mkdir()
        shutil.copyfile(onnx, part / MODEL)
        shutil.copyfile(runtime / _SCRIPT, part / "ort.js")
        (part / RUNTIME).write_bytes(gzip.compress((runtime / _WASM).read_bytes(), compresslevel=6, mtime=0))
        for licence in sorted(runtime.glob("*.txt")):
            shutil.copyfile(licence, part / licence.name)
        for side in ICONS:
            (part / f"icon-{side}.png").write_bytes(draw_icon(side))
        save_json(_manifest(about), part / "manifest.webmanifest")
        save_json(_know(about, part), part / ABOUT)
        _write_static(about, part)


def _know(about: PageFacts, folder: Path) -> dict[str, Any]:
    """Give what `about.json` says: the facts, the limits, and the two large files."""
    large = sum((folder / name).stat().st_size for name in (MODEL, RUNTIME))
    return asdict(about) | {
        "limits": {"bytes": MAX_BYTES, "pixels": MAX_WHOLE_PIXELS},
        "files": {"model": MODEL, "runtime": RUNTIME, "bytes": large},
    }


def _manifest(about: PageFacts) -> dict[str, Any]:
    icons = [
        {"src": f"icon-{side}.png", "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
        for side in ICONS
        for purpose in ("any", "maskable")
    ]
    return {
        "name": f"{about.name} – podium",
        "short_name": about.name,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#ffffff",
        "icons": icons,
    }


def _write_static(about: PageFacts, folder: Path) -> None:
    """Write the files of `static`; the service worker last, as it names all the others and their digest."""
    static = {entry.name: entry.read_text("utf-8") for entry in files(__package__).joinpath("static").iterdir()}
    static[INDEX] = _fill(static[INDEX], {"about": about, "known": MAX_KNOWN})
    worker = static.pop(WORKER)
    for name, text in static.items():
        _save(text, folder / name)
    kept = sorted(path.name for path in folder.iterdir() if path.suffix != ".txt")
    digests = {name: file_digest(folder / name) for name in kept}
    beginning = json.dumps({"digest": json_digest([digests, worker]), "files": ["./", *kept]})
    _save(f"const KEPT = {beginning};\n{worker}", folder / WORKER)


def _fill(text: str, values: Mapping[str, Any]) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters |= {"figure": "{:.3f}".format, "share": sure}
    return environment.from_string(text).render(values)


def _save(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
