"""`python -m stages`, as DVC calls it: exit status and what a person reads."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.makers import make_page, make_rows, make_table


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def page(project: Path) -> None:
    make_page(project, make_table(make_rows(6)))


def test_a_stage_that_ends_well_says_in_one_line_what_it_read_and_wrote() -> None:
    done = run("-m", "stages", "download", "dots")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("download dots: took incoming (1 files, ")
    assert line.endswith("wrote data/raw/dots")


@pytest.mark.parametrize(
    ("stage", "name", "message"),
    [
        ("download", "dot", "has no dataset 'dot'. Did you mean 'dots'? There are: dots."),
        ("confusion_matrix", "dots", "has no candidate 'dots'. Did you mean 'dots-dense'? There are: dots-dense."),
    ],
)
def test_a_mistake_is_one_line_and_status_1(stage: str, name: str, message: str) -> None:
    done = run("-m", "stages", stage, name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{stage} {name}: params.yaml {message}\n"


def test_debug_shows_the_traceback() -> None:
    done = run("-m", "stages", "download", "dot", "--debug")
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert "podium.errors.PodiumError: params.yaml has no dataset 'dot'" in done.stderr


def test_an_unknown_stage_is_answered_with_the_six() -> None:
    done = run("-m", "stages", "downlaod", "dots")
    assert done.returncode == 2
    for stage in ("download", "validate", "preprocess", "train", "evaluate", "confusion_matrix"):
        assert stage in done.stderr


def test_an_environment_that_lacks_a_package_is_answered_with_how_to_make_one() -> None:
    program = (
        "import runpy, sys; sys.modules['ruamel.yaml'] = None; sys.argv = ['stages', 'download', 'dots']; "
        "runpy.run_module('stages', run_name='__main__')"
    )
    done = run("-c", program)
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"{sys.executable} lacks the package 'ruamel.yaml'. Make podium's environment (`make env`)"
    )
