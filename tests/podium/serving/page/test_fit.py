"""The page's fit.js gives OpenCV's bytes. Node runs it; where there is none, the test is left out."""

import base64
import json
import shutil
import subprocess
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from podium.images.fitting import Placement, fit
from podium.tracking.classifier import Size

CASES = 240
PROGRAM = """
import fs from "node:fs";
const [code, cases] = JSON.parse(fs.readFileSync(0));
const { fit, moveBack, placement } = await import("data:text/javascript;base64," + code);
const decode = (text) => new Uint8Array(Buffer.from(text, "base64"));
console.log(JSON.stringify(cases.map(({ size, box, ...image }) => {
  const at = placement(image.width, image.height, size);
  const fitted = fit({ ...image, pixels: decode(image.pixels) }, size);
  const back = moveBack(box, at, size, image.width, image.height);
  return [Buffer.from(fitted.pixels).toString("base64"), Object.values(at), back];
})));
"""


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node on PATH, which runs the page's JavaScript in this test")
    return found


def draw_case(draw: np.random.Generator, number: int) -> tuple[dict[str, Any], np.ndarray, Size]:
    """Give an image of any size, and a size to reach: whole multiples, one equal side, and what comes."""
    height, width, tall, wide = (int(side) for side in draw.integers(1, (90, 90, 140, 140)))
    match number % 6:
        case 0:
            tall, wide = height * int(draw.integers(1, 6)), width * int(draw.integers(1, 6))
        case 1:
            wide = width
        case 2:
            tall, wide = 2 * height, 2 * width
    channels, depth = (int(draw.choice([1, 3])) for _ in range(2))
    size = Size(height, width, channels, str(draw.choice(["stretch", "pad", "crop"])))  # type: ignore[arg-type]
    pixels = draw.integers(0, 256, (tall, wide, depth), dtype=np.uint8)
    keys = {name: getattr(size, name) for name in ("height", "width", "channels", "resize")}
    text = base64.b64encode(pixels.tobytes()).decode()
    box = draw.uniform(-0.2, 1.2, 4).tolist()
    return {"size": keys, "width": wide, "height": tall, "channels": depth, "pixels": text, "box": box}, pixels, size


def test_images_of_every_size_become_the_same_bytes_as_in_python_and_boxes_lie_where_they_lay(node: str) -> None:
    draw = np.random.default_rng(0)
    cases = [draw_case(draw, number) for number in range(CASES)]
    code = base64.b64encode(files("podium.serving.page").joinpath("static/fit.js").read_bytes()).decode()

    done = subprocess.run(
        [node, "--input-type=module", "-e", PROGRAM],
        input=json.dumps([code, [case for case, _, _ in cases]]),
        capture_output=True,
        text=True,
        check=True,
    )

    for (case, pixels, size), (text, at, box) in zip(cases, json.loads(done.stdout), strict=True):
        what = f"{pixels.shape} to {size}"
        found = np.frombuffer(base64.b64decode(text), np.uint8).reshape(size.shape)
        assert np.array_equal(found, fit(pixels, size)), what
        place = Placement.of(case["width"], case["height"], size)
        moved = place.move_back(np.array(case["box"]) * ([size.width, size.height] * 2))
        assert at == [getattr(place, name) for name in Placement.__slots__], what
        assert np.allclose(box, np.clip(moved, 0, [case["width"], case["height"]] * 2)), what
