"""`models.lock` and what `podium pin` and `podium verify` make of it."""

from pathlib import Path

import pytest

from podium.cli import main
from podium.errors import PodiumError
from podium.registry.proof.pin import PINS, pin, read_pins, sum_up
from podium.registry.proof.verify import verify_pins
from tests.makers import REPOSITORY
from tests.registered import register
from tests.trained import Trained


@pytest.fixture
def registered(trained: Trained) -> Trained:
    """A project with a champion."""
    register(trained)
    return trained


def model_file(trained: Trained, path: str = "artifacts/model.keras") -> Path:
    (model,) = trained.client.search_logged_models([trained.client.get_experiment_by_name("digits").experiment_id])
    return Path(model.artifact_location.removeprefix("file://")) / path


def found(trained: Trained) -> dict[str, tuple[bool | None, str]]:
    ((_, checks),) = verify_pins(trained.root)
    return {one.what: (one.agrees, one.text) for one in checks}


def test_a_pin_names_every_file_of_the_version_and_the_whole(registered: Trained) -> None:
    made = pin(registered.root, "digits@champion")
    assert read_pins(registered.root / PINS) == {"digits": made}
    assert (made.title, made.where) == ("digits/1", f"sqlite:///{registered.root / 'mlflow.db'}")
    assert {"MLmodel", "artifacts/model.keras", "artifacts/classes.json", "artifacts/golden/0.png"} <= made.files.keys()
    assert "registered_model_meta" not in made.files
    assert made.sha256 == sum_up(made.files)


def test_what_is_pinned_holds_until_a_file_changes(registered: Trained) -> None:
    pin(registered.root, "digits@champion")
    assert found(registered)["files"][0] is True
    model_file(registered).write_text("other weights")
    assert found(registered)["files"] == (False, "not as pinned: artifacts/model.keras")
    model_file(registered).unlink()
    assert found(registered)["files"][0] is False


def test_a_recalled_version_is_not_pinned_and_no_longer_agrees(registered: Trained) -> None:
    pin(registered.root, "digits/1")
    assert found(registered)["recalled"] == (True, "no")
    registered.client.set_model_version_tag("digits", "1", "podium.withdrawn", "trained on a wrong label")
    assert found(registered)["recalled"] == (False, "yes: trained on a wrong label")
    with pytest.raises(PodiumError, match=r"recalled: trained on a wrong label.*podium history digits"):
        pin(registered.root, "digits/1")


def test_a_version_that_is_gone_does_not_agree(registered: Trained) -> None:
    pin(registered.root, "digits/1")
    registered.client.delete_model_version("digits", "1")
    agrees, text = found(registered)["files"]
    assert agrees is False
    assert "MLflow has no 'digits/1'" in text


def test_another_server_is_told(registered: Trained) -> None:
    pin(registered.root, "digits/1")
    path = registered.root / PINS
    path.write_text(path.read_text().replace(str(registered.root / "mlflow.db"), "/elsewhere/mlflow.db"))
    assert found(registered)["address"][0] is None


def test_an_address_is_pinned_without_its_password(registered: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from podium.registry.proof import pin as module

    shown: list[str] = []
    monkeypatch.setattr(module, "shown_uri", lambda uri: shown.append(uri) or "https://…@host")
    assert pin(registered.root, "digits/1").where == "https://…@host"
    assert len(shown) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("format: 1", "format: 2", "its format is 2, expected 1"),
        ("version: '1'", "version: latest", "the version of digits is 'latest', expected a number"),
        ("sha256: ", "sha256: x", "has a digest that is no sha256"),
        ("MLmodel: ", "MLmodel.txt: ", "edited by hand"),
        ("models:", "- models:", "cannot be read"),
        ("models:", "<<<<<<< HEAD\nmodels:", "git checkout models.lock"),
    ],
)
def test_a_lock_that_is_none_is_one_message(registered: Trained, old: str, new: str, message: str) -> None:
    pin(registered.root, "digits/1")
    path = registered.root / PINS
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(PodiumError) as raised:
        read_pins(path)
    assert message in str(raised.value)


def test_the_commands_say_what_to_do(
    registered: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (registered.root / "dvc.yaml").write_text((REPOSITORY / "dvc.yaml").read_text(encoding="utf-8"))
    monkeypatch.chdir(registered.root)
    assert main(["verify"]) == 1
    assert "There is no models.lock here. `podium pin NAME@champion` writes one" in capsys.readouterr().err
    assert main(["pin", "digits@champion"]) == 0
    assert "models.lock pins digits/1: " in capsys.readouterr().out
    assert main(["verify"]) == 0
    assert "digits/1 agrees in 2 of 2 checks." in capsys.readouterr().out
    model_file(registered).write_text("other weights")
    assert main(["verify"]) == 1
    assert "digits/1 does not agree in 1 of 2 checks: files." in capsys.readouterr().out
