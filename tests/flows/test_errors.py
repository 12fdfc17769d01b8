"""What a library raises for reasons of its own ends in one message; a mistake of ours does not."""

import sqlite3
from pathlib import Path

import httpx
import pytest
import requests
from dvc.exceptions import DvcException
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, PERMISSION_DENIED
from prefect.exceptions import PrefectException
from sqlalchemy.exc import OperationalError

from flows.errors import naming_the_library
from podium.errors import PodiumError, TransientError

ROOT = Path("/project")


def locked() -> sqlite3.Error:
    """SQLite's error where another connection writes."""
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (MlflowException("no such run"), "MLflow at sqlite:////project/mlflow.db did not do its part: no such run."),
        (requests.ConnectionError("refused"), "did not do its part: refused."),
        (OperationalError("SELECT 1", {}, locked()), "database is locked. What was trained"),
        (httpx.ConnectError("refused"), "Prefect did not do its part: refused."),
        (PrefectException(), "Prefect did not do its part: PrefectException."),
    ],
)
def test_a_server_that_fails_is_named_and_may_answer_later(
    error: Exception, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TransientError) as raised, naming_the_library(ROOT):
        raise error
    assert text in str(raised.value)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    ("code", "advice"), [(PERMISSION_DENIED, "MLFLOW_TRACKING_USERNAME"), (INVALID_PARAMETER_VALUE, "correct what it")]
)
def test_what_mlflow_refuses_is_not_tried_again(code: int, advice: str) -> None:
    said = rf"did not do its part: no\..*{advice}.*What was trained is safe"
    with pytest.raises(PodiumError, match=said) as raised, naming_the_library(ROOT):
        raise MlflowException("no", error_code=code)
    assert not isinstance(raised.value, TransientError)


def test_dvc_is_named_and_is_not_tried_again() -> None:
    with (
        pytest.raises(PodiumError, match="DVC did not do its part: output is busy") as raised,
        naming_the_library(ROOT),
    ):
        raise DvcException("output is busy")
    assert not isinstance(raised.value, TransientError)


@pytest.mark.parametrize("error", [PodiumError("ours"), ValueError("a mistake"), KeyError("name")])
def test_all_else_passes_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, naming_the_library(ROOT):
        raise error
    assert raised.value is error
