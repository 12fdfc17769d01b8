import io
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from PIL import Image as Pillow

from podium.errors import PodiumError, TransientError
from podium.models import zoo
from podium.serving import finding
from podium.serving.finding import Facts, Found, find_model
from podium.serving.predictor import Predictor
from podium.tracking.classifier import Classifier
from tests.logged import THRESHOLD, save_new_model
from tests.makers import CNN, SIDE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Predictor:
    return Predictor.load(Found(folder / "model", "dots", "1", Facts()))


def file(seed: int = 0, kind: str = "PNG", size: tuple[int, int, int] = (9, 14, 3), **options: Any) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    content = io.BytesIO()
    Pillow.fromarray(pixels).save(content, kind, **options)
    return content.getvalue()


def sideways() -> bytes:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    return file(kind="PNG", exif=exif)


def test_it_knows_what_travels_with_the_model(predictor: Predictor) -> None:
    assert predictor.classes == ("left", "right", "both")
    assert (predictor.size.shape, predictor.size.resize) == ((SIDE, SIDE, 1), "pad")
    assert (predictor.threshold, predictor.has_boxes) == (THRESHOLD, True)
    assert predictor.check_golden() < 1e-5


def test_its_answers_are_those_of_the_model_that_mlflow_loads(predictor: Predictor, folder: Path) -> None:
    files = [file(seed) for seed in range(3)] + [file(kind="JPEG"), sideways()]
    expected = mlflow.pyfunc.load_model(str(folder / "model")).predict({"image": files})
    for answer, other in zip(predictor.predict(files), expected, strict=True):
        assert answer.keys() == other.keys()
        assert answer["label"] == other["label"]
        assert answer["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
        assert answer["box"] == pytest.approx(other["box"], abs=1e-4)


@pytest.mark.parametrize(
    ("content", "tolerance"),
    [
        (file(), 1e-6),
        (sideways(), 1e-6),
        (file(size=(9, 14, 4)), 1e-6),
        (file(size=(1, 1, 3)), 1e-6),
        (file(kind="TIFF"), 1e-6),
        (file(kind="JPEG"), 0.02),  # noise in colour, the worst there is: gray is decoded from a file as it lies there
    ],
    ids=["PNG", "turned by EXIF", "with alpha", "one pixel", "TIFF", "JPEG"],
)
def test_a_path_its_bytes_and_what_pillow_opens_are_the_same_image(
    content: bytes, tolerance: float, predictor: Predictor, tmp_path: Path
) -> None:
    (tmp_path / "image").write_bytes(content)
    by_path, by_bytes, by_pillow = predictor.predict([tmp_path / "image", content, Pillow.open(io.BytesIO(content))])
    assert by_path == by_bytes
    assert by_path["error"] == by_pillow["error"] == ""
    assert by_pillow["probabilities"] == pytest.approx(by_path["probabilities"], abs=tolerance)
    assert by_pillow["box"] == pytest.approx(by_path["box"], abs=100 * tolerance)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I;16"])
def test_pillow_images_of_every_mode_are_taken(mode: str, predictor: Predictor) -> None:
    (answer,) = predictor.predict([Pillow.new(mode, (12, 8))])
    assert (answer["error"], answer["label"] in predictor.classes) == ("", True)


def test_what_cannot_be_read_is_told_and_the_others_are_answered(predictor: Predictor, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    good, bad = file(), [tmp_path / "none.png", tmp_path, tmp_path / "text.jpg", "image.png", Pillow.new("F", (4, 4))]
    answers = predictor.predict([good, *bad, good])  # type: ignore[list-item]
    assert [bool(answer["error"]) for answer in answers] == [False, *[True] * len(bad), False]
    assert answers[0] == answers[-1]
    assert answers[1]["error"] == "it cannot be read: No such file or directory"
    assert "it is no file" in answers[2]["error"]
    assert "expected a Path" in answers[4]["error"]


def test_a_pipe_is_refused_and_not_waited_for(predictor: Predictor, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "it is no file" in predictor.predict([tmp_path / "pipe"])[0]["error"]


def test_a_stream_keeps_the_order_and_takes_no_more_than_it_needs(predictor: Predictor) -> None:
    drawn = []

    def images() -> Any:
        for seed in range(2000):
            drawn.append(seed)
            yield file(seed % 7) if seed % 5 else b"no image"

    answers = predictor.stream(images())
    first = [next(answers) for _ in range(70)]
    assert len(drawn) < 1000
    expected = [predictor.predict([file(seed)])[0] for seed in range(7)]
    for seed, answer in enumerate(first):
        assert bool(answer["error"]) == (seed % 5 == 0)
        if seed % 5:
            assert answer["probabilities"] == pytest.approx(expected[seed % 7]["probabilities"], abs=1e-6)


def test_many_threads_are_answered_as_one_is(predictor: Predictor) -> None:
    batches = [[file(seed) for seed in range(start, start + count)] for start in range(6) for count in (1, 2, 5, 40)]
    alone = [predictor.predict(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(predictor.predict, batches * 3))
    for answers, expected in zip(together, alone * 3, strict=True):
        assert [answer["label"] for answer in answers] == [answer["label"] for answer in expected]
        for answer, other in zip(answers, expected, strict=True):
            assert answer["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)


def test_a_model_whose_weights_were_exchanged_is_not_served(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "model", tmp_path / "model")
    save_new_model(tmp_path / "model/artifacts/model.keras", (SIDE, SIDE, 1), {"label": 3, "box": 4}, seed=1)
    found = Found(tmp_path / "model", "dots", "1", Facts())
    with pytest.raises(PodiumError, match=r"dots/1 does not say what it was evaluated with\. .* differs by"):
        Predictor.load(found)
    Predictor.load(found, check=False)


def test_no_code_of_the_model_s_folder_runs(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "model", tmp_path / "model")
    for code in (tmp_path / "model/code").rglob("*.py"):
        code.write_text("raise SystemExit('it ran')")
    Predictor.load(Found(tmp_path / "model", "dots", "1", Facts()))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "logged by another program"),
        ("[]", "cannot be read"),
        ('{"classes": ["a"], "image": {"height": 4}}', "cannot be read"),
    ],
)
def test_a_model_without_its_classes_is_refused(text: str | None, message: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "model", tmp_path / "model")
    (tmp_path / "model/artifacts/classes.json").unlink()
    if text is not None:
        (tmp_path / "model/artifacts/classes.json").write_text(text)
    with pytest.raises(PodiumError, match=message):
        Predictor.load(Found(tmp_path / "model", "dots", "1", Facts()))


def see_places(resize: str) -> Predictor:
    """A convolution by chance: it has a view of places."""
    size = {"height": 16, "width": 16, "channels": 1, "resize": resize}
    known = {"classes": ["a", "b"], "image": size, "threshold": None, "boxes": False}
    return Predictor(
        Found(Path("none"), "places", "", Facts()), Classifier(zoo.build(CNN, (16, 16, 1), {"label": 2}), known)
    )


@pytest.mark.parametrize(
    ("resize", "seen"),
    [
        ("stretch", (slice(0, 20), slice(0, 60))),
        ("pad", (slice(0, 20), slice(0, 60))),
        ("crop", (slice(0, 20), slice(20, 40))),
    ],
)
def test_heat_lies_on_the_image_s_own_pixels(resize: str, seen: tuple[slice, slice]) -> None:
    predictor = see_places(resize)
    image = np.random.default_rng(0).integers(0, 256, (20, 60, 1), dtype=np.uint8)
    heats = [predictor.explain(image, label) for label in ("a", "b")]
    for heat in heats:
        assert (heat.shape, heat.dtype) == ((20, 60), np.float32)
        assert (heat.min() >= 0, heat.max() <= 1) == (True, True)
        outside = np.ones(heat.shape, bool)
        outside[seen] = False
        assert not heat[outside].any()
    assert max(heat.max() for heat in heats) > 0.5
    answered = predictor.classes.index(predictor.predict([image])[0]["label"])
    np.testing.assert_array_equal(predictor.explain(image), heats[answered])


def test_heat_of_a_large_image_may_be_asked_for_smaller() -> None:
    assert see_places("stretch").explain(np.zeros((300, 600, 3), np.uint8), longest=100).shape == (50, 100)


def test_heat_of_a_turned_image_lies_upright() -> None:
    assert see_places("stretch").explain(sideways()).shape == (14, 9)


def test_what_cannot_be_explained_says_why(predictor: Predictor) -> None:
    assert (predictor.can_explain, see_places("pad").can_explain) == (False, True)
    with pytest.raises(PodiumError, match="no view of places"):
        predictor.explain(file())
    with pytest.raises(PodiumError, match=r"has no class 'lfet'. Did you mean 'left'?"):
        predictor.explain(file(), "lfet")
    with pytest.raises(PodiumError, match="cannot be explained: the file is text"):
        predictor.explain(b"no image")


@pytest.fixture
def own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project root with that store, and an empty cache."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    return tmp_path


@pytest.mark.parametrize("name", ["dots@champion", "dots/1", "models:/dots@champion", "models:/dots/1"])
def test_a_version_is_found_by_each_of_its_names(name: str, own: Path, folder: Path) -> None:
    found = find_model(own, name)
    assert (found.title, found.facts.dataset, found.facts.aliases) == ("dots/1", "dots", ("champion",))
    assert (found.folder / "artifacts/model.keras").read_bytes() == (folder / "model.keras").read_bytes()


def test_files_are_fetched_once_and_found_while_mlflow_is_away(
    own: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = find_model(own, "dots@champion")
    marked = (first.folder / "artifacts/model.keras").stat().st_ino
    assert find_model(own, "dots/1").folder == first.folder
    assert (first.folder / "artifacts/model.keras").stat().st_ino == marked

    def away(*_: Any) -> None:
        raise TransientError("MLflow is away.")

    monkeypatch.setattr(finding, "find_version", away)
    assert find_model(own, "dots@champion") == first
    assert "MLflow is away. Using dots/1 as it was when MLflow was last asked" in caplog.text
    with pytest.raises(TransientError, match="away"):
        find_model(own, "dots@previous")


def test_files_that_nobody_asked_for_in_a_month_make_room_for_new_ones(own: Path) -> None:
    models = own / finding.MODELS / "models"
    for name, days in {"new": 29, "old": 31, ".making-x": 31}.items():
        (models / name).mkdir(parents=True)
        os.utime(models / name, times=(time.time() - days * 86400,) * 2)
    found = find_model(own, "dots/1")
    assert {*models.iterdir()} == {models / "new", found.folder}
    os.utime(found.folder, times=(0, 0))
    assert find_model(own, "dots/1").folder.stat().st_mtime > time.time() - 3600


def test_files_that_were_damaged_since_are_fetched_again(own: Path, folder: Path) -> None:
    weights = find_model(own, "dots/1").folder / "artifacts/model.keras"
    weights.write_bytes(b"damaged")
    assert find_model(own, "dots/1").folder == weights.parents[1]
    assert weights.read_bytes() == (folder / "model.keras").read_bytes()
    assert [path.name for path in weights.parents[2].iterdir()] == [weights.parents[1].name]


def test_a_logged_model_is_found_by_its_folder(folder: Path) -> None:
    assert find_model(folder, str(folder / "model")) == Found(folder / "model", "model", "", Facts())


def test_a_folder_that_looks_like_a_version_is_found_by_its_path(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder / "model", tmp_path / "models@home/3")
    monkeypatch.chdir(tmp_path)
    for name in ("./models@home/3", str(tmp_path / "models@home/3")):
        assert find_model(tmp_path, name).title == "3"


def test_a_candidate_is_packed_as_it_would_be_logged(project: Path, folder: Path) -> None:
    with pytest.raises(PodiumError, match="digits-dense is not trained and evaluated here: models"):
        find_model(project, "digits-dense")
    shutil.copytree(folder / "dots", project / "data/processed/digits")
    shutil.copytree(folder / "reports", project / "reports/digits/digits-dense")
    (project / "models/digits-dense").mkdir(parents=True)
    page = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(
        page.replace("height: 8", f"height: {SIDE}").replace("width: 8", f"width: {SIDE}")
    )
    for name in ("model.keras", "thresholds.json"):
        shutil.copy(folder / name, project / "models/digits-dense")
    found = find_model(project, "digits-dense")
    assert (found.title, found.facts.candidate) == ("digits-dense", "digits-dense")
    assert json.loads((found.folder / "artifacts/classes.json").read_text())["threshold"] == THRESHOLD
    assert find_model(project, "digits-dense").folder == found.folder
    assert Predictor.load(found).classes == ("left", "right", "both")


def test_what_is_no_model_is_answered_with_those_that_are(project: Path) -> None:
    with pytest.raises(PodiumError, match=r"There is no model 'digits-dens'. .*Did you mean 'digits-dense'?"):
        find_model(project, "digits-dens")
