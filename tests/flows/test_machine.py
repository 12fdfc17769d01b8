"""The user's machine has no say beside the params page: the same bytes come out, or one clear message."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.flows.workspace import Workspace, keep_only, shorten

pytestmark = pytest.mark.slow

RUN = (sys.executable, "-m", "podium.cli", "run")
CHECK = (sys.executable, "-m", "flows.data_check")
MARKERS = "<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n"


@pytest.fixture
def bare(tmp_path: Path) -> Workspace:
    """The repository with a page that trains in seconds, without any server."""
    workspace = Workspace(tmp_path / "project")
    workspace.edit(shorten)
    workspace.edit(keep_only("digits-dense"))
    workspace.commit("one small candidate")
    return workspace


def remove_git(workspace: Workspace) -> None:
    shutil.rmtree(workspace.root / ".git")


def remove_commits(workspace: Workspace) -> None:
    remove_git(workspace)
    workspace.run("git", "init", "-q")


def set_variable(name: str, value: str) -> Callable[[Workspace], None]:
    return lambda workspace: workspace.environment.update({name: value})


def put_markers(name: str) -> Callable[[Workspace], None]:
    def put(workspace: Workspace) -> None:
        path = workspace.root / name
        text = path.read_text() if path.exists() else "schema: '2.0'\n"
        path.write_text(MARKERS.format(text=text))

    return put


def write_profile(text: str) -> Callable[[Workspace], None]:
    def write(workspace: Workspace) -> None:
        home = Path(workspace.environment["PREFECT_HOME"])
        home.mkdir(parents=True, exist_ok=True)
        (home / "profiles.toml").write_text(text)

    return write


def make_home_a_file(workspace: Workspace) -> None:
    Path(workspace.environment["PREFECT_HOME"]).write_text("")


AWAY = "http://127.0.0.1:9/api"
FAULTS = {
    "no_git": (remove_git, ["is in no git repository", "`git init && git add --all && git commit"]),
    "no_commit": (remove_commits, ["is in a git repository, but in no commit of it", "`git add --all && git commit"]),
    "markers_in_the_lock": (put_markers("dvc.lock"), ["dvc.lock has merge markers, the first in line 1.", "--theirs"]),
    "markers_in_the_page": (put_markers("params.yaml"), ["params.yaml has merge markers, the first in line 1."]),
    "other_owner": (
        set_variable("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"),
        ["the folder belongs to another user", "`git config --global --add safe.directory /"],
    ),
    "address": (
        set_variable("PREFECT_API_URL", AWAY),
        [f"No Prefect server answers at {AWAY}", "variable PREFECT_API_URL", "`unset PREFECT_API_URL`"],
    ),
    "address_of_a_profile": (
        write_profile(f'active = "work"\n[profiles.work]\nPREFECT_API_URL = "{AWAY}"\n'),
        [f"No Prefect server answers at {AWAY}", "the profile 'work' in /", "`prefect config unset PREFECT_API_URL`"],
    ),
    "no_temporary_server": (
        set_variable("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false"),
        ["may not start a temporary one", "`unset PREFECT_SERVER_ALLOW_EPHEMERAL_MODE`"],
    ),
    "home_is_a_file": (make_home_a_file, ["is no folder that can be used", "`export PREFECT_HOME=FOLDER`"]),
    "setting": (
        set_variable("PREFECT_LOGGING_LEVEL", "LOUD"),
        ["settings: LoggingSettings, level = LOUD: Input should be 'DEBUG'", "`env | grep PREFECT_`"],
    ),
    "profiles": (write_profile("profiles = [\n"), ["Prefect does not accept its settings", "profiles.toml"]),
    "scheme_of_a_proxy": (
        set_variable("ALL_PROXY", "socks5://127.0.0.1:9"),
        ["cannot use one of the proxies in ALL_PROXY", "`env -u ALL_PROXY podium run`"],
    ),
}


def assert_one_message(workspace: Workspace, command: tuple[str, ...], texts: list[str]) -> None:
    said = workspace.run(*command, status=1)
    assert "Traceback" not in said
    for text in texts:
        assert text in said, said
    assert len(said.splitlines()) < 15, said


SHORT = ("no_git", "markers_in_the_lock", "address")


@pytest.mark.parametrize("fault", [pytest.param(one, marks=() if one in SHORT else pytest.mark.soak) for one in FAULTS])
def test_a_fault_is_named_in_one_message(bare: Workspace, fault: str) -> None:
    break_it, texts = FAULTS[fault]
    break_it(bare)
    assert_one_message(bare, RUN, texts)


@pytest.mark.parametrize(
    "fault", ["setting", *(pytest.param(one, marks=pytest.mark.soak) for one in ("no_commit", "address"))]
)
def test_the_data_check_names_it_as_well(bare: Workspace, fault: str) -> None:
    break_it, texts = FAULTS[fault]
    break_it(bare)
    assert_one_message(bare, CHECK, texts)


def test_another_backend_is_refused_before_anything_runs(bare: Workspace) -> None:
    bare.environment["KERAS_BACKEND"] = "jax"
    assert_one_message(bare, RUN, ["KERAS_BACKEND is 'jax'", "`unset KERAS_BACKEND`"])
    assert not (bare.root / "data/raw").exists()


def test_a_conflict_that_is_decided_leaves_the_pipeline_as_it_was(bare: Workspace) -> None:
    bare.run("dvc", "repro", "download@digits")
    before = bare.lock()
    put_markers("dvc.lock")(bare)
    assert "merge markers" in bare.run(*RUN, status=1)
    (bare.root / "dvc.lock").write_text(yaml.safe_dump(before, sort_keys=False))
    assert "download@digits" not in bare.run("dvc", "status")
