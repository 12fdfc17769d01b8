"""The app's answers with real models: broken files, boxes, a thousand classes."""

import csv
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from podium.serving.app.desk import Desk
from podium.serving.app.shelf import Shelf
from podium.serving.feedback import Feedback
from tests.podium.serving.app.projects import MANY, make_project
from tests.podium.serving.app.stand_ins import draw
from tests.sharing import made_once

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, store: Path) -> Path:
    """A project of this module's own: `project` is shared with other processes, and only read."""
    project, _ = made_once(tmp_path_factory, "app-project", lambda folder: make_project(folder, store))
    own = tmp_path_factory.mktemp("app") / "project"
    shutil.copytree(project, own)
    return own


@pytest.fixture(scope="module")
def desk(root: Path) -> Desk:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", "")
        patch.delenv("MLFLOW_TRACKING_URI")
        desk = Desk(root, Shelf.of(root, ["dots@champion", "many@champion"]))
        desk.shelf.look()
        for name in desk.shelf.first:
            desk.shelf.take(name)
    return desk


def test_every_broken_file_is_answered_or_refused_in_words(desk: Desk, shared_data: Path, tmp_path: Path) -> None:
    with (shared_data / "broken/oracle.csv").open(encoding="utf-8") as oracle:
        expected = {
            row["file"]: row["expected"].replace("warn", "ok")
            for row in csv.DictReader(oracle)
            if row["kind"] == "image"
        }
    wrong = {}
    for number, (name, verdict) in enumerate(expected.items()):
        given = tmp_path / f"{number}{Path(name).suffix}"
        shutil.copy(shared_data / "broken" / name, given)
        html, asked = desk.ask(given, ["dots@champion"], explain=True)
        said = "reject" if "This image cannot be used" in html else "ok"
        if said != verdict or (asked is None) != (said == "reject") or (said == "ok") != ('class="bars"' in html):
            wrong[name] = (verdict, said)
    assert len(expected) > 15
    assert wrong == {}


def test_the_box_is_told_in_the_images_own_pixels(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(draw(40))
    html, _ = desk.ask(path, ["dots@champion"], explain=False)
    assert "40 × 40 pixels · box (" in html
    assert "with the box that the model draws" in html


def test_a_model_without_a_view_of_places_says_so(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(draw())
    html, _ = desk.ask(path, ["dots@champion"], explain=True)
    assert "no view of places" in html


def test_a_thousand_classes_are_shown_as_the_likeliest_and_any_can_be_the_right_one(
    desk: Desk, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(draw())
    html, asked = desk.ask(path, ["many@champion"], explain=False)
    assert "and 995 classes more" in html
    assert len(html) < 20_000
    assert asked is not None
    assert len(asked.classes) == MANY
    assert len(desk.examples("many@champion").images) == 12
    desk.keep(asked, "class 999")
    assert Feedback(root, "many").read()[0].label == "class 999"


def test_what_is_known_of_a_version_is_told(desk: Desk) -> None:
    html = desk.about(["dots@champion"])
    for text in ("dots/1", "champion", "dots-dense", "0.750", "c0ffee", "promote"):
        assert text in html, text


def test_a_champion_that_moves_is_followed_and_a_recalled_one_is_marked(desk: Desk, root: Path) -> None:
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    client.set_registered_model_alias("dots", "champion", "2")
    client.set_model_version_tag("dots", "1", "podium.withdrawn", "wrong labels")
    desk.shelf.look()
    assert desk.shelf.take("dots@champion").title == "dots/2"
    assert "wrong labels" in desk.about(["dots/1"])
