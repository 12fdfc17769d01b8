"""The page as a target: what `podium export --to web` asks about the golden files."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from podium.errors import PodiumError
from podium.serving.export import web
from podium.serving.export.golden_files import save_png
from podium.serving.export.target import UnfitError
from podium.serving.finding import Facts, Found
from tests.browser import require_chromium, require_runtime
from tests.podium.serving.page.models import DIGITS, answer, make_digit, make_facts, save_onnx

pytestmark = pytest.mark.slow


def make_source(folder: Path) -> SimpleNamespace:
    """A version, as far as the page needs it."""
    save_onnx(folder / "model.onnx")
    about = make_facts()
    known = {"classes": about.classes, "size": about.image, "threshold": about.threshold, "has_boxes": False}
    predictor = SimpleNamespace(found=Found(folder, "digits", "3", Facts()), **known)
    return SimpleNamespace(predictor=predictor, convertible=SimpleNamespace(onnx=folder / "model.onnx"))


def test_the_page_is_asked_in_chromium_and_says_the_same(tmp_path: Path) -> None:
    require_chromium()
    require_runtime()
    web.TARGET.finish(make_source(tmp_path), tmp_path / "web")  # type: ignore[misc, arg-type]
    files = [save_png(make_digit(number)[..., np.newaxis]) for number in (3, 7)]

    with web.TARGET.door(tmp_path / "web") as door:  # type: ignore[misc]
        said = door.answer([*files, b"no image"])

    assert [one["label"] for one in said] == [DIGITS[3], DIGITS[7], None]
    assert "as no image does" in said[2]["error"]
    for one, data in zip(said, files, strict=False):
        expected, _ = answer(data, make_facts())
        assert np.allclose(list(one["probabilities"].values()), expected, atol=1e-6)


def test_without_what_runs_it_there_is_no_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Path:
        raise PodiumError(f"npm is not on PATH; it fetches {name}.")

    monkeypatch.setattr(web, "get_runtime", fail)
    with pytest.raises(UnfitError, match=r"^npm is not on PATH; it fetches onnxruntime-web$"):
        web.TARGET.finish(make_source(tmp_path), tmp_path / "web")  # type: ignore[misc, arg-type]
