"""The stack of `docker/compose.yaml`, started without Docker: a schedule fires twice, trains and promotes once."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from mlflow import MlflowClient

from tests.docker.compose import Stack, running
from tests.flows.conftest import cache  # noqa: F401 - a fixture
from tests.flows.prefect_api import ask, wait_for
from tests.flows.workspace import REPOSITORY, Workspace, keep_only, shorten
from tests.receiver import receiving
from tests.servers import find_missing

pytestmark = pytest.mark.slow

SECRETS = {"POSTGRES_PASSWORD": "apassword01", "S3_ACCESS_KEY": "anaccesskey01", "S3_SECRET_KEY": "asecretkey01"}
PATIENCE_SECONDS = 600
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@pytest.fixture
def project(tmp_path: Path, cache: Path) -> Workspace:  # noqa: F811
    """A project with one quick candidate, committed."""
    workspace = Workspace(tmp_path / "project")
    workspace.use_cache(cache)
    workspace.edit(shorten)
    workspace.edit(keep_only("digits-dense"))
    workspace.commit("one quick candidate")
    return workspace


@pytest.fixture
def stack(project: Workspace, tmp_path: Path) -> Iterator[Stack]:
    """The worker, and all that it depends on."""
    if missing := find_missing():
        pytest.skip(f"for the stack these are not installed: {', '.join(missing)}")
    (tmp_path / "stack").mkdir()
    with running(project.root, tmp_path / "stack", SECRETS) as services:
        services.start("mlflow")
        services.start("worker")
        services.wait("worker")
        yield services


def find_deployment(prefect: str) -> Any:
    """Find the retraining's deployment by its entrypoint: it may have any name."""
    page = yaml.safe_load((REPOSITORY / "prefect.yaml").read_text())
    name = next(one["name"] for one in page["deployments"] if one["entrypoint"].startswith("flows/retrain.py:"))
    deployments = ask(prefect, "deployments/filter", {})
    assert {one["name"] for one in deployments} == {one["name"] for one in page["deployments"]}
    return next(one for one in deployments if one["name"] == name)


def fire_once(stack: Stack, prefect: str, deployment: str) -> Any:
    """Let a schedule fire, take it away, and give the run that it made when that is over."""
    schedules = f"deployments/{deployment}/schedules"
    (made,) = ask(prefect, schedules, [{"schedule": {"interval": 10}, "active": True}])
    now = datetime.now(UTC).isoformat()
    wanted = {
        "deployments": {"id": {"any_": [deployment]}},
        "flow_runs": {"expected_start_time": {"after_": now}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        runs = ask(prefect, "flow_runs/filter", wanted)
        begun = [run for run in runs if run["start_time"]]
        if begun and made:
            ask(prefect, f"{schedules}/{made['id']}", method="DELETE")
            made = None
        if begun and begun[0]["state_type"] in ENDED:
            return begun[0]
        states = [run["state_name"] for run in runs]
        assert time.monotonic() < deadline, f"no scheduled run ended: {states}\n{stack.log('worker')}"
        time.sleep(0.2)


def list_objects(stack: Stack, bucket: str) -> list[str]:
    """Name what is in a bucket."""
    keys = {"aws_access_key_id": SECRETS["S3_ACCESS_KEY"], "aws_secret_access_key": SECRETS["S3_SECRET_KEY"]}
    client = boto3.client("s3", endpoint_url=stack.address("s3"), region_name="us-east-1", **keys)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]


def test_a_schedule_on_the_stack_fires_promotes_once_and_a_webhook_hears_of_it(
    stack: Stack, project: Workspace
) -> None:
    prefect = f"{stack.address('prefect')}/api"
    deployment = find_deployment(prefect)
    assert deployment["global_concurrency_limit"]["limit"] == 1
    assert deployment["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    with receiving() as receiver:
        stack.run("worker", "podium", "notify", "--url", receiver.address)
        first, second = (fire_once(stack, prefect, deployment["id"]) for _ in range(2))
        heard = wait_for(lambda: [one for one in receiver.received if one["event"] == "podium.promoted"], 30)
    assert first["auto_scheduled"]
    assert first["state_type"] == "COMPLETED", f"{first['state']['message']}\n{stack.log('worker')}"
    assert first["state"]["message"].startswith("digits: promoted. digits-dense (version 1) is the first champion")
    assert (second["auto_scheduled"], second["state_name"]) == (True, "NoReason"), second["state"]["message"]
    assert [one["command"] for one in heard] == ["podium serve"]

    stack.start("app")
    mlflow = MlflowClient(stack.address("mlflow"))
    champion = mlflow.get_model_version_by_alias("digits", "champion")
    assert mlflow.get_run(champion.run_id).info.artifact_uri.startswith("mlflow-artifacts:/")
    assert any(key.endswith("model.keras") for key in list_objects(stack, "mlflow"))
    assert not (project.root / "mlflow.db").exists()

    # What the run made waits on a branch; merged, it is all there, and the stack's S3 is DVC's remote.
    (branch,) = project.run("git", "for-each-ref", "--format=%(refname:short)", "--no-merged", "HEAD").split()
    project.run("git", "merge", "--quiet", "--ff-only", branch)
    stack.run("worker", "dvc", "push", "--quiet")
    lock = {out["md5"] for stage in project.lock()["stages"].values() for out in stage["outs"]}
    pushed = {"".join(key.split("/")[-2:]) for key in list_objects(stack, "dvc")}
    assert lock <= pushed

    stack.wait("app")
