import gzip
import io
import json
import re
import tomllib
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from podium.serving.page import PageFacts, Score, write_page
from tests.makers import REPOSITORY
from tests.pages import Page
from tests.podium.serving.page.models import make_facts


@pytest.fixture
def onnx(tmp_path: Path) -> Path:
    path = tmp_path / "some.onnx"
    path.write_bytes(b"a model")
    return path


def write(folder: Path, onnx: Path, runtime: Path, about: PageFacts | None = None) -> dict[str, bytes]:
    write_page(folder, onnx, about or make_facts(), runtime)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_folder_has_all_that_the_page_asks_for(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    written = write(tmp_path / "page", onnx, runtime)

    page = Page(written["index.html"].decode())
    assert {link for _, link in page.links} <= written.keys()
    scripts = "".join(text.decode() for name, text in written.items() if name.endswith(".js"))
    imported = re.findall(r'from "\./(.+?)"', scripts)
    assert {"decode.js", "fit.js", "ort.js"} <= set(imported) <= written.keys()
    assert page.events == []
    assert "style" not in page.tags


def test_what_is_shipped_is_listed_for_the_package() -> None:
    listed = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    patterns = listed["podium.serving.page"]
    static = [entry.name for entry in files("podium.serving.page").joinpath("static").iterdir()]
    assert [name for name in static if not any(fnmatch(f"static/{name}", pattern) for pattern in patterns)] == []


def test_the_model_is_copied_and_the_runtime_packed(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    written = write(tmp_path / "page", onnx, runtime)
    assert written["model.onnx"] == b"a model"
    assert gzip.decompress(written["ort.wasm.gz"]) == (runtime / "ort-wasm-simd-threaded.wasm").read_bytes()
    assert written["LICENSE-onnxruntime-web.txt"] == b"MIT\n"


def test_the_page_knows_what_the_model_knows(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    written = write(tmp_path / "page", onnx, runtime)
    known = json.loads(written["about.json"])
    assert known["image"] == {"height": 8, "width": 8, "channels": 1, "resize": "stretch"}
    assert (known["classes"][7], known["threshold"], known["boxes"]) == ("seven", 0.6, False)
    assert known["limits"] == {"bytes": 1 << 26, "pixels": 54_000_000}
    assert known["files"]["bytes"] == len(written["model.onnx"]) + len(written["ort.wasm.gz"])


def test_people_read_the_metrics_the_threshold_and_the_decision(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    text = Page(write(tmp_path / "page", onnx, runtime)["index.html"].decode()).text
    assert "Accuracy, test images 0.958 (0.932–0.975)" in text
    assert "below 60.0%" in text
    assert "digits-line (version 3) is better than version 2." in text


def test_what_nobody_knows_is_left_out(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    bare = make_facts(version="", dataset="", threshold=None, metrics=(Score("Macro F1", 0.5),), decision="")
    text = Page(write(tmp_path / "page", onnx, runtime, bare)["index.html"].decode()).text
    assert "version" not in text.partition("It knows")[0]
    assert "Dataset" not in text
    assert "decision" not in text
    assert "never said" in text
    assert "Macro F1 0.500 Unsure" in text


def test_names_are_text_and_nothing_else(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    evil = make_facts(name='<script>alert("1")</script>', classes=("</p><img src=x>", "b"))
    written = write(tmp_path / "page", onnx, runtime, evil)
    page = Page(written["index.html"].decode())
    assert [tag for tag, link in page.links if link == "x"] == []
    assert "<script>alert" in page.text


def test_the_same_export_has_the_same_bytes(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    assert write(tmp_path / "one", onnx, runtime) == write(tmp_path / "two", onnx, runtime)


def test_another_model_replaces_the_kept_page(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    before = write(tmp_path / "page", onnx, runtime)
    onnx.write_bytes(b"another model")
    after = write(tmp_path / "page", onnx, runtime)
    assert before["sw.js"] != after["sw.js"]
    kept = json.loads(after["sw.js"].decode().partition("\n")[0].removeprefix("const KEPT = ").rstrip(";"))
    assert set(kept["files"]) == after.keys() - {"sw.js", "LICENSE-onnxruntime-web.txt"} | {"./"}


def test_what_stood_there_is_gone(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "old.js").write_text("")
    assert "old.js" not in write(tmp_path / "page", onnx, runtime)


def test_icons_are_images_of_their_size(tmp_path: Path, onnx: Path, runtime: Path) -> None:
    written = write(tmp_path / "page", onnx, runtime)
    icons = json.loads(written["manifest.webmanifest"])["icons"]
    assert {icon["sizes"] for icon in icons} == {"192x192", "512x512"}
    for icon in icons:
        image = Image.open(io.BytesIO(written[icon["src"]]))
        assert f"{image.width}x{image.height}" == icon["sizes"]
