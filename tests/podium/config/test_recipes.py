import subprocess
from pathlib import Path

import pytest

from podium.cli import main
from podium.config.recipes import Entry, describe_recipes, use_recipe
from podium.errors import PodiumError
from tests.makers import REPOSITORY

RECIPES = [*REPOSITORY.glob("recipes/*.yaml")]


@pytest.fixture
def page(project: Path) -> Path:
    return project / "params.yaml"


def commit(project: Path) -> None:
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.org"]
    for words in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "--message", "all of it"]):
        subprocess.run(["git", *words], cwd=project, check=True)


def test_every_recipe_is_described_and_the_one_in_use_is_marked(project: Path, page: Path) -> None:
    recipes = {recipe.name: recipe for recipe in describe_recipes(project)}
    assert [*recipes] == sorted(path.stem for path in project.glob("recipes/*.yaml"))
    assert [name for name, recipe in recipes.items() if recipe.in_use] == ["digits"]
    assert recipes["digits"].entries == [Entry("digits", "scikit-learn", ["digits-dense", "digits-cnn"], [])]
    (signs,) = recipes["sign_language"].entries
    assert (signs.source, signs.published) == ("kaggle: datamunge/sign-language-mnist", ["accuracy 0.9219 ± 0.011"])
    (svhn,) = recipes["svhn"].entries
    assert svhn.published == ["accuracy 0.7237 ± 0.009", "box_mse 0.0104"]
    assert [entry.source for entry in recipes["cats_vs_dogs"].entries] == ["kaggle: competition dogs-vs-cats"] * 2
    page.write_text(page.read_text() + "# changed\n")
    assert not any(recipe.in_use for recipe in describe_recipes(project))


def test_a_recipe_that_cannot_be_read_hides_no_other(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "recipes/broken.yaml").write_text("datasets: 5\n")
    broken, *others = describe_recipes(project)
    assert "broken.yaml, line 1: datasets must be a mapping" in broken.fault
    assert len(others) == len(RECIPES)
    assert all(recipe.entries and not recipe.fault for recipe in others)
    assert main(["list"]) == 0
    assert "broken.yaml, line 1: datasets must be a mapping" in capsys.readouterr().out


def test_a_recipe_takes_the_place_of_another(project: Path, page: Path) -> None:
    use_recipe(project, "sign_language")
    assert page.read_bytes() == (project / "recipes/sign_language.yaml").read_bytes()
    assert not [*project.glob(".*.part")]


def test_a_recipe_takes_the_place_of_no_page_at_all(project: Path, page: Path) -> None:
    page.unlink()
    use_recipe(project, "digits")
    assert page.read_bytes() == (project / "recipes/digits.yaml").read_bytes()


@pytest.mark.parametrize("in_git", [False, True])
def test_changes_that_are_saved_nowhere_are_kept_unless_forced(project: Path, page: Path, in_git: bool) -> None:
    if in_git:
        commit(project)
    changed = page.read_text() + "# mine\n"
    page.write_text(changed)
    with pytest.raises(PodiumError, match=r"saved nowhere else.*git commit params\.yaml.*sign_language --force"):
        use_recipe(project, "sign_language")
    assert page.read_text() == changed
    use_recipe(project, "sign_language", force=True)
    assert page.read_bytes() == (project / "recipes/sign_language.yaml").read_bytes()


@pytest.mark.parametrize("where", ["commit", "recipe"])
def test_changes_that_are_saved_may_go(project: Path, page: Path, where: str) -> None:
    page.write_text(page.read_text() + "# mine\n")
    if where == "commit":
        commit(project)
    else:
        (project / "recipes/mine.yaml").write_bytes(page.read_bytes())
    use_recipe(project, "sign_language")
    assert page.read_bytes() == (project / "recipes/sign_language.yaml").read_bytes()


def test_an_unknown_recipe_is_answered_with_the_nearest(project: Path) -> None:
    with pytest.raises(PodiumError, match=r"no recipe 'sign-language'\. Did you mean 'sign_language'"):
        use_recipe(project, "sign-language")


def test_a_recipe_that_is_wrong_itself_does_not_become_the_page(project: Path, page: Path) -> None:
    before = page.read_bytes()
    (project / "recipes/broken.yaml").write_text("datasets: 5\n")
    with pytest.raises(PodiumError, match=r"broken\.yaml, line 1: datasets must be a mapping"):
        use_recipe(project, "broken")
    assert page.read_bytes() == before
