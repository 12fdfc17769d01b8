import threading
from collections.abc import Callable

import pytest

from podium.errors import PodiumError, TransientError
from podium.serving.app.shelf import AWAY, MOST, Model, Registered, Shelf
from podium.serving.finding import Found
from tests.podium.serving.app.stand_ins import make_model


class Registry:
    """A registry of `digits` in memory."""

    def __init__(self) -> None:
        self.champion, self.withdrawn = "1", dict[str, str]()
        self.fault: PodiumError | None = None
        self.unloadable: set[str] = set()
        self.loaded: list[str] = []
        self.while_loading: Callable[[], None] = lambda: None

    def find(self, name: str) -> Found:
        if self.fault:
            raise self.fault
        return make_model(self.champion if name.endswith("@champion") else name.partition("/")[2]).found

    def load(self, found: Found) -> Model:
        self.while_loading()
        if found.version in self.unloadable:
            raise PodiumError(f"{found.title} does not say what it was evaluated with.")
        self.loaded.append(found.title)
        return make_model(found.version)

    def ask(self) -> dict[str, Registered]:
        if self.fault:
            raise self.fault
        aliases = {"champion": self.champion} if self.champion else {}
        return {"digits": Registered(("3", "2", "1"), aliases, self.withdrawn)}


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def shelf(registry: Registry) -> Shelf:
    return Shelf(["digits@champion"], registry.find, registry.load, registry.ask)


def test_a_model_is_loaded_once_for_all_who_ask(shelf: Shelf, registry: Registry) -> None:
    threads = [threading.Thread(target=shelf.take, args=("digits@champion",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.loaded == ["digits/1"]
    assert shelf.take("digits/1").title == "digits/1"  # the same under another name


def test_a_new_champion_takes_the_place_of_the_old_one_once_it_is_loaded(shelf: Shelf, registry: Registry) -> None:
    old = shelf.take("digits@champion")
    registry.champion = "2"
    meanwhile: list[Model] = []
    registry.while_loading = lambda: meanwhile.append(shelf.take("digits@champion"))
    shelf.look()
    assert meanwhile == [old]  # who asked while the new one was loading had the old one, and did not wait
    assert shelf.take("digits@champion").title == "digits/2"
    assert old.title == "digits/1"  # a request that runs keeps its own


def test_a_champion_that_cannot_be_loaded_leaves_the_old_one_and_that_is_said(shelf: Shelf, registry: Registry) -> None:
    shelf.take("digits@champion")
    registry.champion, registry.unloadable = "2", {"2"}
    shelf.look()
    assert shelf.take("digits@champion").title == "digits/1"
    assert "digits/2 is champion now, and cannot be used" in shelf.stuck["digits@champion"]
    tries: list[str] = []
    registry.while_loading = lambda: tries.append("again")
    shelf.look()
    assert tries == []
    registry.champion = "3"
    shelf.look()
    assert shelf.take("digits@champion").title == "digits/3"
    assert shelf.stuck == {}


def test_a_champion_that_nobody_replaced_goes_on_and_that_is_said(shelf: Shelf, registry: Registry) -> None:
    shelf.take("digits@champion")
    registry.champion = ""
    shelf.look()
    assert shelf.take("digits@champion").title == "digits/1"
    assert "digits has no champion any more" in shelf.stuck["digits@champion"]


def test_while_mlflow_is_away_what_is_loaded_goes_on(shelf: Shelf, registry: Registry) -> None:
    shelf.look()
    shelf.take("digits@champion")
    registry.fault = TransientError("http://127.0.0.1:5000 does not answer.")
    shelf.look()
    assert shelf.away == AWAY
    assert shelf.take("digits@champion").title == "digits/1"
    assert shelf.choices() == ["digits@champion", "digits/3", "digits/2", "digits/1"]
    registry.fault = None
    shelf.look()
    assert shelf.away == ""


def test_what_could_not_be_loaded_is_tried_again_when_it_is_asked_for_again(shelf: Shelf, registry: Registry) -> None:
    registry.fault = TransientError("MLflow does not answer.")
    with pytest.raises(TransientError):
        shelf.take("digits@champion")
    assert not shelf.is_loaded("digits@champion")
    registry.fault = None
    assert shelf.take("digits@champion").title == "digits/1"


def test_a_version_that_is_recalled_while_it_is_in_use_is_marked(shelf: Shelf, registry: Registry) -> None:
    model = shelf.take("digits@champion")
    shelf.look()
    assert shelf.withdrawn(model) == ""
    registry.withdrawn = {"1": "wrong labels"}
    shelf.look()
    assert shelf.withdrawn(model) == "wrong labels"
    assert shelf.aliases(model) == ["champion"]


def test_without_a_name_every_champion_is_there(registry: Registry) -> None:
    shelf = Shelf([], registry.find, registry.load, registry.ask)
    assert shelf.choices() == []
    shelf.look()
    assert shelf.first == ("digits@champion",)


def test_no_more_models_are_kept_than_memory_has_room_for(registry: Registry) -> None:
    shelf = Shelf(["digits@champion"], registry.find, registry.load, registry.ask)
    shelf.take("digits@champion")
    for number in range(2, MOST + 5):
        shelf.take(f"digits/{number}")
    assert shelf.is_loaded("digits@champion")
    assert sum(shelf.is_loaded(f"digits/{number}") for number in range(2, MOST + 5)) == MOST
