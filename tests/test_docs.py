"""The docs know every recipe, setting and command, and what they say can be typed."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from podium.cli import COMMANDS
from podium.config import datasets, gates, limits, models, schedules

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PARAMS = (REPOSITORY / "docs/params.md").read_text(encoding="utf-8")

TABLES = [
    each
    for module in (datasets, gates, limits, models, schedules)
    for each in vars(module).values()
    if isinstance(each, type) and each.__module__ == module.__name__
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_setting_is_documented(table: type) -> None:
    for field in fields(table):
        assert f"`{field.name}`" in PARAMS or field.name in ("kind", "source", "format"), f"{field.name} is in no table"
        if field.name == "kind":
            (kind,) = get_args(field.type)
            assert f"`{kind}`" in PARAMS


def test_every_recipe_is_in_the_readme() -> None:
    for recipe in (REPOSITORY / "recipes").glob("*.yaml"):
        assert f"`{recipe.stem}`" in README


def test_every_command_is_in_the_readme() -> None:
    for command in COMMANDS:
        assert f"podium {command}" in README


def test_every_room_is_in_the_readme() -> None:
    for room in (REPOSITORY / "podium").iterdir():
        if not room.name.startswith("_"):
            assert f"  {room.name}{'/' if room.is_dir() else ''}" in README


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in (REPOSITORY / "docs").glob("*.md"))])
def test_links_lead_somewhere(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if not link.startswith("http"):
            assert (REPOSITORY / page).parent.joinpath(link).exists(), link


def test_every_make_target_of_the_readme_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make (\w+)`|^\$ make (\w+)", README, flags=re.M)):
        name = "".join(target)
        assert re.search(rf"^{name}:", makefile, flags=re.M), name
