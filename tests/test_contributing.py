"""The steps of CONTRIBUTING.md, taken in a copy of the repository as a newcomer would take them."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.flows.workspace import Workspace
from tests.makers import REPOSITORY, SIDE, make_arrays, make_page, make_rows, make_table, save_page

GUIDE = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
STEP = re.compile(r"^\d\. (?:New file|In) `([^`]+)`(?:, before `([^`]+)`)?:\n\n   ```\w+\n(.*?)^   ```$", re.M | re.S)


def section(title: str) -> str:
    return GUIDE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def follow(root: Path, title: str) -> int:
    """Take the steps of a section; give how many there were."""
    steps = STEP.findall(section(title))
    for name, place, block in steps:
        path, code = root / name, textwrap.dedent(block)
        if place:
            text = path.read_text(encoding="utf-8")
            assert text.count(f"\n{place}") == 1, f"{name} has no one line that begins with {place!r}"
            indent = " " * (len(block) - len(block.lstrip()) - 3)
            code = text.replace(f"\n{place}", f"\n{textwrap.indent(code, indent)}{place}")
        else:
            assert not path.exists(), name
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    return len(steps)


def run(root: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository with a small dataset and its arrays."""
    root = Workspace(tmp_path / "copy").root
    make_page(root, make_table(make_rows(6)))
    make_arrays(root / "data/processed/dots")
    return root


@pytest.mark.slow
def test_a_model_is_added_and_trained(copy: Path) -> None:
    assert follow(copy, "Add a model") == 3
    (candidate,) = re.findall(r"^```yaml\n(.*?)^```$", section("Add a model"), re.M | re.S)
    page = yaml.safe_load((copy / "params.yaml").read_text())
    page["candidates"] |= yaml.safe_load(candidate)
    save_page(copy, page)
    assert "trained linear" in run(copy, "stages", "train", "dots-linear")
    assert (copy / "models/dots-linear/history.csv").read_text().count("\n") == 3


def test_a_format_is_added_and_read(copy: Path) -> None:
    assert follow(copy, "Add a format") == 4
    images = np.zeros((3, SIDE, SIDE, 1), np.uint8)
    np.savez(copy / "incoming/images.npz", images=images, labels=np.array(["0", "1", "2"]))
    page = yaml.safe_load((copy / "params.yaml").read_text())
    page["datasets"]["dots"]["format"] = {"kind": "npz", "file": "images.npz"}
    save_page(copy, page)
    code = (
        "from pathlib import Path; from podium.config import load_params; from podium.datasets.formats import read\n"
        "layout = load_params().dataset('dots').format\n"
        "print([(one.id, one.label, one.image.shape) for one in read(Path('incoming'), layout)])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = [(f"images.npz:{row}", str(row), (SIDE, SIDE, 1)) for row in range(3)]
    assert done.stdout == f"{expected}\n"


@pytest.mark.slow
def test_a_stage_is_added_and_run(copy: Path) -> None:
    assert follow(copy, "Add a stage") == 3
    (copy / "reports/dots/validation").mkdir(parents=True)
    assert run(copy, "stages", "count", "dots").startswith("count dots: read ")
    assert (copy / "reports/dots/validation/count.txt").read_text() == "{'train': 48, 'validation': 48, 'test': 48}\n"
    assert "count@dots" in run(copy, "dvc", "stage", "list", "--name-only").splitlines()


def test_a_command_is_added_and_run(copy: Path) -> None:
    assert follow(copy, "Add a command") == 2
    assert run(copy, "podium.cli", "where") == f"{copy}\n"
    assert "show the folder of this project" in run(copy, "podium.cli", "--help")


def test_every_place_that_the_guide_names_is_there() -> None:
    made = {name for name, place, _ in STEP.findall(GUIDE) if not place}
    named = set(re.findall(r"`((?:podium|stages|tests|docs)/[\w./]+\.(?:py|md))`", GUIDE)) - made
    assert len(named) > 5
    assert not [name for name in named if not (REPOSITORY / name).exists()]
