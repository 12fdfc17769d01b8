"""What can be said of the files of `docker/` without an engine."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docker.compose import COMPOSE, FOLDER, PORTS, VARIABLE, load_services
from tests.makers import REPOSITORY

DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
TEXT = COMPOSE.read_text(encoding="utf-8")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|ACCESS_KEY")
VALUES = dict.fromkeys(("POSTGRES_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY"), "0123456789abcdef")
ONCE = {"buckets", "deployments"}
"""Services that do one thing and end."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return load_services(VALUES)


def find_program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        pytest.skip(f"`{name}` is not installed")
    return found


def test_every_service_that_stays_has_a_health_check_and_is_waited_for(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert (name in ONCE) != ("healthcheck" in service), name
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONCE else "service_healthy"
            assert how == {"condition": wanted}, f"{name} needs {needed}"


def test_every_port_is_on_loopback_unless_somebody_says_otherwise(services: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {name: [f"127.0.0.1:{PORTS[name]}:{PORTS[name]}"] for name in ("mlflow", "prefect", "app")}
    others = load_services({**VALUES, "BIND": "192.0.2.1"})
    assert others["app"]["ports"] == ["192.0.2.1:7860:7860"]


@pytest.mark.parametrize("secret", VALUES)
def test_without_a_secret_nothing_starts(secret: str) -> None:
    with pytest.raises(KeyError, match=secret):
        load_services({**VALUES, secret: ""})


def test_no_secret_has_a_default_or_stands_in_a_command(services: dict[str, Any]) -> None:
    for found in VARIABLE.finditer(TEXT):
        if SECRET.search(found["name"]):
            assert found["how"] == "?", found[0]
    for name, service in services.items():
        assert not [word for word in service.get("command", ()) if VALUES["S3_SECRET_KEY"] in word], name
        for key, value in service.get("environment", {}).items():
            if SECRET.search(key):
                assert value in (None, VALUES["S3_SECRET_KEY"]), f"{name}: {key}"


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    example = (FOLDER / ".env.example").read_text(encoding="utf-8")
    named = dict(re.findall(r"^(?:# )?(\w+)=(.*)$", example, flags=re.M))
    assert {name for name, value in named.items() if not value} == {*VALUES, "KAGGLE_API_TOKEN"}
    used = {found["name"] for found in VARIABLE.finditer(TEXT)}
    assert used - {*named} == {"PODIUM_IMAGE", "TENSORFLOW", "MLFLOW_ALLOWED_HOSTS"}
    assert {*named} - used == {"KAGGLE_API_TOKEN"}
    ignored = subprocess.run(["git", "check-ignore", "-q", "docker/.env"], cwd=REPOSITORY, check=False)
    assert ignored.returncode == 0


def test_mlflow_asks_who_is_meant_and_hands_artifacts_on(services: dict[str, Any]) -> None:
    mlflow = services["mlflow"]
    assert {"--serve-artifacts", "--artifacts-destination=s3://mlflow/artifacts"} <= {*mlflow["command"]}
    assert "*" not in mlflow["environment"]["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")


def test_who_works_in_the_project_does_so_as_its_owner(services: dict[str, Any]) -> None:
    ours = {name for name, service in services.items() if any(":/project" in one for one in service.get("volumes", ()))}
    assert ours == {"deployments", "worker", "app"}
    assert {services[name]["user"] for name in ours} == {"1000:1000"}


def test_every_file_that_is_mounted_or_copied_is_there(services: dict[str, Any]) -> None:
    for service in services.values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert (FOLDER / volume.split(":")[0]).is_file(), volume
    for copied in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+) \S+$", DOCKERFILE, flags=re.M):
        for path in copied.split():
            assert (REPOSITORY / path).exists(), path
            assert path == "." or f"!{path}" in IGNORED, f"{path} is kept out of the image"


def test_the_image_gets_what_is_named_and_nothing_else() -> None:
    kept = [line[1:] for line in IGNORED if line.startswith("!")]
    assert IGNORED[1] == "*"
    assert not [path for path in kept if not (REPOSITORY / path).exists()]
    assert {"podium", "stages", "flows", "dvc.yaml", "params.yaml", "prefect.yaml"} <= {*kept}
    assert not {".git", ".dvc", "data", "docker", ".env", ".dvc/config.local", "tests"} & {*kept}


def test_the_image_has_a_python_that_podium_runs_on_and_is_no_root() -> None:
    (version,) = re.findall(r"^ARG PYTHON=.*python:(3\.\d+)-", DOCKERFILE, flags=re.M)
    low, high = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (REPOSITORY / "pyproject.toml").read_text())[0]
    assert int(low) <= int(version.partition(".")[2]) < int(high)
    assert DOCKERFILE.rstrip().splitlines()[-1].startswith("CMD ")
    assert re.findall(r"^USER (.+)$", DOCKERFILE, flags=re.M) == ["1000"]
    assert "--require-hashes -r requirements.txt" in DOCKERFILE


def test_what_leaves_the_image_again_is_for_tests_alone() -> None:
    (names,) = re.findall(r"uninstall --quiet (coverage[^&]+)&&", DOCKERFILE)
    tools = (REPOSITORY / "requirements.in").read_text().partition("# checks and build")[2]
    asked = {re.split(r"[=<>;\[ ]", line)[0] for line in tools.splitlines() if line}
    assert {*names.replace("\\", "").split()} == asked - {"setuptools", "pyyaml"}


def test_the_lock_for_gpus_has_the_versions_of_the_lock() -> None:
    def read(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(encoding="utf-8"), flags=re.M))

    gpu, lock = read(FOLDER / "requirements-gpu.txt"), read(REPOSITORY / "requirements.txt")
    assert gpu["tensorflow"] == lock["tensorflow-cpu"]
    assert {name: gpu[name] for name in gpu.keys() & lock.keys()} == {
        name: lock[name] for name in gpu.keys() & lock.keys()
    }
    assert {name for name in gpu.keys() - lock.keys() if not name.startswith("nvidia-")} == set()


@pytest.mark.parametrize("pool", ["docker", "kubernetes"])
def test_a_base_job_template_names_the_variables_that_it_uses(pool: str) -> None:
    template = json.loads((FOLDER / "pools" / f"{pool}.json").read_text(encoding="utf-8"))
    used = set(re.findall(r"\{\{ (\w+) \}\}", json.dumps(template["job_configuration"])))
    assert used == template["variables"]["properties"].keys()
    assert template["variables"]["properties"]["image"]["default"] == "podium"


def test_hadolint_has_nothing_to_say() -> None:
    subprocess.run([find_program("hadolint"), FOLDER / "Dockerfile"], check=True)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.compose-spec", [COMPOSE]),
        ("vendor.github-workflows", sorted((REPOSITORY / ".github/workflows").glob("*.yml"))),
    ],
)
def test_the_files_are_what_their_schema_says(schema: str, files: list[Path]) -> None:
    command = [find_program("check-jsonschema"), "--builtin-schema", schema, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_python_of_health_checks_and_buckets_compiles(services: dict[str, Any]) -> None:
    programs = [service["healthcheck"]["test"] for service in services.values() if "healthcheck" in service]
    programs += [service["command"] for service in services.values() if "command" in service]
    written = [words[words.index("-c") + 1] for words in programs if "python" in words]
    assert len(written) == 5
    for program in written:
        compile(program, sys.argv[0], "exec")
