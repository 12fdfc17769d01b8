from pathlib import Path

import pytest

from podium.cli import main
from podium.config import load_params
from podium.errors import PodiumError


def test_list_shows_every_recipe_with_its_candidates(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["list"]) == 0
    output = capsys.readouterr().out
    for path in project.glob("recipes/*.yaml"):
        mark = " *" if path.stem == "digits" else ""
        assert f" {path.stem}{mark} " in output
        for name, candidate in load_params(path).candidates.items():
            (line,) = [line for line in output.splitlines() if f" {candidate.dataset}: " in line]
            assert name in line.split(": ")[1].replace(",", " ").split()
    assert "accuracy 0.9219 ± 0.011" in output


def test_list_cuts_no_name_in_a_narrow_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    main(["list"])
    assert "sign_language" in capsys.readouterr().out


def test_use_makes_a_recipe_the_page_from_any_folder_of_the_project(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "recipes")
    assert main(["use", "sign_language"]) == 0
    assert (project / "params.yaml").read_bytes() == (project / "recipes/sign_language.yaml").read_bytes()
    assert capsys.readouterr().out.startswith("params.yaml is now the recipe 'sign_language'. Next: `podium run`")


def test_use_refuses_unsaved_changes_unless_forced(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = project / "params.yaml"
    page.write_text(changed := page.read_text() + "# mine\n")
    assert main(["use", "digits"]) == 1
    assert page.read_text() == changed
    output = capsys.readouterr()
    assert output.err.startswith("podium: params.yaml has changes that are saved nowhere else.")
    assert output.out == ""
    assert main(["use", "digits", "--force"]) == 0
    assert page.read_bytes() == (project / "recipes/digits.yaml").read_bytes()


def test_use_brings_back_a_page_that_is_gone_as_its_absence_message_advises(project: Path) -> None:
    (project / "params.yaml").unlink()
    assert main(["use", "digits"]) == 0


@pytest.mark.usefixtures("project")
def test_an_unknown_recipe_is_one_line_and_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["use", "digts"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("podium: There is no recipe 'digts'. Did you mean 'digits'?")


@pytest.mark.usefixtures("project")
def test_debug_shows_where_a_mistake_was_noticed() -> None:
    with pytest.raises(PodiumError, match="no recipe 'digts'"):
        main(["use", "digts", "--debug"])


def test_outside_of_a_project_the_message_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["list"]) == 1
    assert "is in no podium project" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["ues"], ["use"]])
def test_words_that_are_no_command_are_answered_with_the_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(words)
    assert raised.value.code == 2
    assert capsys.readouterr().err.startswith("usage: podium")
