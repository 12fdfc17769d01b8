import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from podium.evaluation.card.drawings import draw_confusions, draw_errors
from podium.evaluation.card.model_card import write_model_card
from podium.evaluation.card.results import HEIGHT, WIDTH, draw_results
from podium.pages.thumbnails import draw_heat, draw_thumbnail, shrink
from tests.podium.evaluation.card.cards import HOSTILE, make_card

SHAPES: dict[str, dict[str, Any]] = {
    "three classes": {},
    "boxes": {"boxes": True, "channels": 3},
    "one class": {"classes": 1, "images": 20, "accuracy": 1.0},
    "two images": {"images": 2, "curve": False, "cost": False, "seeds": 1},
    "many classes": {"classes": 120, "images": 240},
    "hostile names": {"classes": HOSTILE},
    "other scripts": {"classes": ("猫", "كلب", "señal"), "images": 30},
}


@pytest.mark.parametrize("how", SHAPES.values(), ids=SHAPES.keys())
def test_the_images_of_a_card_are_the_same_bytes_again(how: dict[str, Any], tmp_path: Path) -> None:
    card = make_card(tmp_path, **how)
    names = ("results.png", "confusion_matrix.png", "confusion_matrix.svg", "gallery.png")
    contents = []
    for _ in range(2):
        draw_results(card, tmp_path / "results.png")
        draw_confusions(card.confusions, card.name, tmp_path)
        draw_errors(card, tmp_path / "gallery.png")
        contents.append([(tmp_path / name).read_bytes() for name in names])
    assert contents[0] == contents[1]
    results = cv2.imread(str(tmp_path / "results.png"))
    assert results.shape == (HEIGHT, WIDTH, 3)
    assert all(part.std() > 1 for part in np.array_split(results, 5))
    assert (results[:, -8:] > 240).all(), "nothing sticks out on the right"
    assert (results[-8:] > 240).all(), "nothing sticks out below"


def test_ten_thousand_classes_are_drawn_within_seconds(tmp_path: Path) -> None:
    card = make_card(tmp_path, classes=10_000, images=200)
    began = time.process_time()
    draw_results(card, tmp_path / "results.png")
    draw_confusions(card.confusions, card.name, tmp_path)
    assert time.process_time() - began < 30
    assert (tmp_path / "confusion_matrix.svg").stat().st_size < 300_000
    assert max(cv2.imread(str(tmp_path / "confusion_matrix.png")).shape) < 2000


@pytest.mark.parametrize("how", SHAPES.values(), ids=SHAPES.keys())
def test_a_model_card_has_front_matter_with_the_metrics_and_says_how_to_load_it(
    how: dict[str, Any], tmp_path: Path
) -> None:
    write_model_card(make_card(tmp_path, **how), tmp_path / "model_card.md")
    text = (tmp_path / "model_card.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    facts = json.loads((tmp_path / "evaluation.json").read_text())["metrics"]["test"]
    front_matter = yaml.safe_load(front)
    (result,) = front_matter["model-index"][0]["results"]
    metrics = {one["type"]: one["value"] for one in result["metrics"]}
    assert metrics["accuracy"] == pytest.approx(facts["accuracy"]["value"], rel=1e-5)
    assert "license" not in front_matter
    assert ("object-detection" in front_matter["tags"]) == ("boxes" in how)
    assert f"{facts['accuracy']['value']:.3f} ({facts['accuracy']['low']:.3f} to" in body
    assert {"accuracy", "f1", "loss"} <= metrics.keys()
    assert {*metrics} & {"macro_f1", "weighted_f1"} == set()
    assert 'keras.saving.load_model("models/made-cnn/model.keras"' in body
    assert 'mlflow.pyfunc.load_model("models:/made@champion")' in body
    assert "mlflow models serve -m models:/made@champion --env-manager local" in body
    assert len(body) < 9000


def test_a_model_card_holds_what_strangers_wrote_as_text(tmp_path: Path) -> None:
    write_model_card(make_card(tmp_path, classes=HOSTILE), tmp_path / "model_card.md")
    text = (tmp_path / "model_card.md").read_text(encoding="utf-8")
    assert "`<script>alert(1)</script>`" in text
    assert "\u202e" not in text
    assert "x" * 260 not in text


def decode(webp: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(webp, np.uint8), cv2.IMREAD_COLOR).astype(int)


def test_a_large_image_is_shrunk_with_its_box() -> None:
    image = np.zeros((384, 192, 3), np.uint8)
    image[192:] = 200
    small, box = shrink(image, (0, 192, 192, 192))
    assert small.shape == (96, 48, 3)
    assert box == (0, 48, 48, 48)
    assert small[:47].max() == 0
    assert small[49:].min() == 200
    same, _ = shrink(np.zeros((8, 8, 1), np.uint8))
    assert same.shape == (8, 8, 1)


def test_both_boxes_can_be_told_apart() -> None:
    drawn = decode(draw_thumbnail(np.zeros((12, 12, 1), np.uint8), (1, 1, 6, 6), (4, 4, 7, 7)))
    green, amber = (drawn - [0x7F, 0xD0, 0x35]), (drawn - [0x00, 0xB0, 0xFF])
    down, right = np.nonzero(np.abs(green).max(axis=2) < 12)
    assert (down.min(), right.min(), down.max(), right.max()) == (8, 8, 55, 55)
    down, right = np.nonzero(np.abs(amber).max(axis=2) < 12)
    assert abs(down.min() - 32) <= 1
    assert abs(right.max() - 87) <= 1


def test_heat_colours_where_it_is_and_leaves_the_rest_gray() -> None:
    heat = np.zeros((4, 4), np.float16)
    heat[:2, :2] = 1
    drawn = decode(draw_heat(np.full((24, 24, 1), 100, np.uint8), heat))
    hot, cold = drawn[4:20, 4:20], drawn[-20:, -20:]
    assert (hot[..., 2] - hot[..., 0]).mean() > 40
    assert abs(cold[..., 2] - cold[..., 0]).mean() < 6
