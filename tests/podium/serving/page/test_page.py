"""The page in Chromium, looked at as people use it: camera, files, keyboard, no network."""

import base64
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from podium.images.given import read_given
from podium.serving.page import write_page
from podium.tracking.classifier import Size
from tests.browser import ARGUMENTS, HOST, chromium, file_server, require_chromium, require_runtime, save_film
from tests.podium.serving.page.models import DIGITS, answer, make_digit, make_facts, save_onnx

pytestmark = pytest.mark.slow

FILMED, GIVEN = 7, 3
"""The digit that the camera shows, and the one of the files."""

GIVE = """([kind, name, text]) => {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, {type: "image/png"}));
  const how = kind === "drop" ? new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true})
                              : new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
  document.body.dispatchEvent(how);
}"""
ASK = """async text => {
  const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const answer = await podium.predict(new Blob([bytes]));
  if (answer.error) return {answer};
  const found = await podium.stages(new Blob([bytes]));
  return {answer, pixels: Array.from(found.fitted.pixels)};
}"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    film = tmp_path_factory.mktemp("film") / "seven.mjpeg"
    large = np.kron(make_digit(FILMED), np.ones((60, 80), np.uint8))
    save_film(film, np.repeat(large[..., np.newaxis], 3, axis=2))
    with chromium(film) as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_page(tmp_path_factory.mktemp("pages") / "digits")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with file_server(folder) as served:
        yield served


@pytest.fixture(scope="module")
def visit(browser: Any, address: str) -> Iterator["Visit"]:
    with Visit(browser, address, permissions=["camera"]) as once:
        yield once


@pytest.fixture
def page(visit: "Visit") -> Iterator[Any]:
    """The page, opened once for many tests by someone who lets it use the camera; nothing is left of the last one."""
    visit.page.evaluate("() => document.querySelector('#label').textContent = ''")
    yield visit.page
    visit.check()
    if visit.page.inner_text("#camera") == "Stop camera":
        visit.page.click("#camera")


def make_page(folder: Path, *, classes: int = len(DIGITS), **changes: Any) -> Path:
    onnx = folder.with_suffix(".onnx")
    save_onnx(onnx, classes=classes, boxes=changes.get("boxes", False))
    write_page(folder, onnx, make_facts(**changes), require_runtime())
    return folder


class Visit:
    """A page in a context of its own, its model loaded. At the end no mistake was said, and no other host asked."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self._context = browser.new_context(viewport={"width": 390, "height": 844}, **options)
        self._context.set_default_timeout(60_000)
        self._address, self._mistakes, self._asked = address, list[str](), list[str]()
        self._context.on("request", lambda request: self._asked.append(request.url))
        self.page = self._context.new_page()
        self.page.on("pageerror", lambda error: self._mistakes.append(str(error)))
        self.page.on("console", lambda said: self._mistakes.append(said.text) if said.type == "error" else None)

    def __enter__(self) -> "Visit":
        self.page.goto(self._address)
        self.page.wait_for_function("() => document.querySelector('#progress').hidden")
        return self

    def __exit__(self, *reason: object) -> None:
        if reason[0] is None:
            self.check()
        self._context.close()

    def check(self) -> None:
        assert self._mistakes == []
        assert [url for url in self._asked if not url.startswith((self._address, "blob:", "data:"))] == []


@contextmanager
def opened(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """Visit a page; give it."""
    with Visit(browser, address, **options) as visit:
        yield visit.page


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def as_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def wait_for_label(page: Any, label: str) -> None:
    page.wait_for_function(
        "label => document.querySelector('#label').textContent === label"
        " && !document.querySelector('#answer').classList.contains('waiting')",
        arg=label,
    )


def give(page: Any, kind: str, data: bytes) -> None:
    page.evaluate(GIVE, [kind, "given.png", as_text(data)])


def test_the_camera_is_answered_about_live_until_it_is_stopped(page: Any) -> None:
    page.click("#camera")
    wait_for_label(page, DIGITS[FILMED])
    page.wait_for_function("() => parseFloat(document.querySelector('#speed').textContent) > 1")
    assert page.inner_text("#bars li:first-child").startswith(DIGITS[FILMED])
    page.wait_for_function("label => document.querySelector('#spoken').textContent.includes(label)", arg=DIGITS[FILMED])
    assert page.inner_text("#camera") == "Stop camera"

    page.click("#camera")
    assert page.evaluate("() => document.querySelector('#video').srcObject") is None
    assert page.is_visible("#invitation")


def test_the_other_camera_takes_the_place_of_the_first(browser: Any, address: str) -> None:
    camera = "() => document.querySelector('#video').srcObject?.getVideoTracks()[0].label"
    other = browser.browser_type.launch(executable_path=require_chromium(), args=ARGUMENTS)
    with opened(other, address, permissions=["camera"]) as page:
        page.click("#camera")
        page.wait_for_selector("#turn:not([hidden])")
        first = page.evaluate(camera)
        page.click("#turn")
        page.wait_for_function(f"first => ![first, undefined].includes(({camera})())", arg=first)
        page.wait_for_selector("#speed:not([hidden])")
        assert page.inner_text("#camera") == "Stop camera"
    other.close()


@pytest.mark.parametrize("kind", ["choose", "drop", "paste"])
def test_a_file_is_answered_about_as_in_python(page: Any, kind: str) -> None:
    data = png(np.kron(make_digit(GIVEN), np.ones((5, 7), np.uint8)))
    if kind == "choose":
        page.set_input_files("#file", {"name": "three.png", "mimeType": "image/png", "buffer": data})
    else:
        give(page, kind, data)
    wait_for_label(page, DIGITS[GIVEN])
    assert page.is_visible("#image")

    said = page.evaluate(ASK, as_text(data))["answer"]
    expected, _ = answer(data, make_facts())
    assert [said["label"], said["error"], said["unsure"]] == [DIGITS[GIVEN], "", False]
    assert "box" not in said
    assert np.allclose([said["probabilities"][name] for name in DIGITS], expected, atol=1e-6)
    assert said["probability"] == max(said["probabilities"].values())


def test_a_file_takes_the_place_of_the_camera(page: Any) -> None:
    page.click("#camera")
    wait_for_label(page, DIGITS[FILMED])
    give(page, "paste", png(make_digit(GIVEN)))
    wait_for_label(page, DIGITS[GIVEN])
    assert page.is_hidden("#video")
    assert page.inner_text("#camera") == "Start camera"


def test_what_is_unsure_is_said_to_be(page: Any) -> None:
    data = png(np.full((8, 8), 120, np.uint8))
    give(page, "drop", data)
    page.wait_for_selector("#answer.unsure")
    assert "below 60.0%" in page.inner_text("#remark")
    assert page.evaluate(ASK, as_text(data))["answer"]["unsure"] is True


def test_the_keyboard_does_what_the_mouse_does(browser: Any, address: str) -> None:
    with opened(browser, address, permissions=["camera"]) as page:
        three = {"name": "three.png", "mimeType": "image/png", "buffer": png(make_digit(GIVEN))}
        page.on("filechooser", lambda chooser: chooser.set_files(three))
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.id") == "camera"
        page.keyboard.press("Enter")
        wait_for_label(page, DIGITS[FILMED])
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.id") == "file"
        page.keyboard.press("Enter")
        wait_for_label(page, DIGITS[GIVEN])


def test_files_of_every_kind_become_the_pixels_that_python_makes_of_them(page: Any, shared_data: Path) -> None:
    target = make_facts().image
    names = (
        "cmyk.jpg",
        "rgba.png",
        "palette_transparent.png",
        "grayscale.jpg",
        "exif_orientation_6.jpg",
        "animated.gif",
    )
    for name in (*names, "elongated.png", "one_pixel.png", "gray16.png", "señal_é_猫.jpg"):
        data = (shared_data / "broken" / name).read_bytes()
        found = page.evaluate(ASK, as_text(data))
        assert found["answer"]["error"] == "", name
        expected = read_given(data, target).pixels.reshape(-1).astype(int)
        assert np.abs(np.array(found["pixels"]) - expected).max() <= 1, name


def test_what_is_no_usable_image_is_refused_with_its_reason_and_the_page_goes_on(page: Any, shared_data: Path) -> None:
    reasons = {
        "truncated.jpg": "cut short",
        "zero_byte.jpg": "the file is empty",
        "html.jpg": "begins with 3c 21",
        "decompression_bomb.png": "30000 × 30000 pixels, over 54,000,000",
    }
    for name, reason in reasons.items():
        said = page.evaluate(ASK, as_text((shared_data / "broken" / name).read_bytes()))["answer"]
        assert reason in said["error"], name
        assert said["label"] is said["probability"] is said["unsure"] is said["probabilities"] is None
    page.set_input_files("#file", shared_data / "broken" / "html.jpg")
    page.wait_for_selector("#answer.refused")
    assert page.inner_text("#kicker") == "This image cannot be used"
    give(page, "drop", png(make_digit(GIVEN)))
    wait_for_label(page, DIGITS[GIVEN])


def test_a_file_that_is_too_large_is_refused_unread(page: Any) -> None:
    ask = "async () => (await podium.predict(new Blob([new Uint8Array((1 << 26) + 1)]))).error"
    assert page.evaluate(ask) == "the file has 67,108,865 bytes, over 67,108,864"


def test_it_works_when_the_server_is_dead_and_a_new_export_takes_its_place(browser: Any, tmp_path: Path) -> None:
    folder = make_page(tmp_path / "page")
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    with file_server(folder) as address:
        page.goto(address)
        page.wait_for_function("() => navigator.serviceWorker.controller")
    page.reload()
    page.wait_for_selector("#camera:enabled")
    give(page, "drop", png(make_digit(GIVEN)))
    wait_for_label(page, DIGITS[GIVEN])

    make_page(folder, version="4")
    with file_server(folder, port=int(address.rstrip("/").rpartition(":")[2])):
        page.reload()
        page.wait_for_function(
            "() => /newer version/.test(document.querySelector('#notice').textContent)"
            " || /version 4/.test(document.querySelector('header').textContent)"  # it came while the model was loading
        )
        page.reload()
        assert "version 4" in page.inner_text("header")
        assert page.evaluate("async () => (await caches.keys()).length") == 1
    context.close()


def test_a_page_that_is_loading_when_a_newer_one_comes_begins_again_and_one_that_is_loaded_says_so(
    browser: Any, address: str
) -> None:
    """As its service worker would tell it; half of it would be of the old version, and half of the new one."""
    tell = "() => navigator.serviceWorker.dispatchEvent(new MessageEvent('message', {data: 'newer'}))"
    context = browser.new_context(service_workers="block")
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.route("**/*.onnx", lambda _: None)  # it never comes
    page.goto(address)
    page.wait_for_function("() => window.podium")
    page.evaluate("() => window.stale = true")
    page.evaluate(tell)
    page.wait_for_function("() => !window.stale")
    page.unroute_all()
    page.reload()
    page.wait_for_selector("#camera:enabled")
    page.evaluate(tell)
    assert "newer version" in page.inner_text("#notice")
    context.close()


def test_a_camera_that_is_refused_is_no_end(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        page.click("#camera")
        page.wait_for_selector("#notice:not([hidden])")
        assert page.inner_text("#notice").startswith("The camera was refused. Allow it")
        give(page, "drop", png(make_digit(GIVEN)))
        wait_for_label(page, DIGITS[GIVEN])
        assert page.is_hidden("#notice")


def test_where_there_is_no_camera_the_page_says_so(browser: Any, address: str) -> None:
    with opened(browser, address) as page:
        page.evaluate(
            "() => { navigator.mediaDevices.getUserMedia = () =>"
            " Promise.reject(new DOMException('Requested device not found', 'NotFoundError')); }"
        )
        page.click("#camera")
        page.wait_for_selector("#notice:not([hidden])")
        assert page.inner_text("#notice") == "There is no camera here. Image files work without."


def test_from_another_host_without_https_it_says_what_to_do_and_answers_about_files(browser: Any, address: str) -> None:
    foreign = address.replace("127.0.0.1", HOST)
    with opened(browser, foreign) as page:
        page.click("#camera")
        page.wait_for_selector("#notice:not([hidden])")
        assert "Serve it over https, or open it as http://localhost" in page.inner_text("#notice")
        give(page, "drop", png(make_digit(GIVEN)))
        wait_for_label(page, DIGITS[GIVEN])


def test_opened_as_a_file_it_says_what_to_type(browser: Any, folder: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("#notice:not([hidden])")
    assert "python -m http.server 8000" in page.inner_text("#notice")
    assert page.is_hidden("#progress")
    context.close()


def test_a_browser_that_is_too_old_is_told_so(browser: Any, address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(address)
    page.wait_for_selector("#notice:not([hidden])")
    assert "too old for the page: it lacks DecompressionStream" in page.inner_text("#notice")
    context.close()


def test_a_box_is_drawn_and_given_in_the_images_own_pixels(browser: Any, tmp_path: Path) -> None:
    about = {"boxes": True, "image": Size(8, 8, 1, "crop")}
    wide = png(np.kron(make_digit(GIVEN), np.ones((10, 25), np.uint8)))
    with file_server(make_page(tmp_path / "page", **about)) as address, opened(browser, address) as page:
        said = page.evaluate(ASK, as_text(wide))["answer"]
        _, expected = answer(wide, make_facts(**about))
        assert np.allclose(said["box"], expected, atol=1e-3)
        give(page, "drop", wide)
        page.wait_for_selector("#overlay rect.box", state="attached")
        shown = page.evaluate("() => ['x', 'y'].map(edge => +document.querySelector('rect.box').getAttribute(edge))")
        assert np.allclose(shown, expected[:2], atol=1e-3)
        assert page.evaluate("() => document.querySelector('#overlay').getAttribute('viewBox')") == "0 0 200 80"


def test_of_a_thousand_classes_the_first_are_shown(browser: Any, tmp_path: Path) -> None:
    classes = tuple(f"a class with a long name, number {number}" for number in range(1000))
    folder = make_page(tmp_path / "page", classes=1000)
    known = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(known | {"classes": classes, "threshold": None}))
    with file_server(folder) as address, opened(browser, address) as page:
        give(page, "drop", png(make_digit(GIVEN)))
        page.wait_for_selector("#bars li")
        assert page.locator("#bars li").count() == 5
        assert page.inner_text("#rest").startswith("995 other classes: 9")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_a_file_that_was_not_copied_is_named(browser: Any, tmp_path: Path) -> None:
    folder = make_page(tmp_path / "page")
    (folder / "model.onnx").unlink()
    context = browser.new_context()
    context.set_default_timeout(60_000)
    page = context.new_page()
    with file_server(folder) as address:
        page.goto(address)
        page.wait_for_selector("#notice:not([hidden])")
        assert "model.onnx is not there (HTTP 404): copy the whole folder" in page.inner_text("#notice")
    context.close()
