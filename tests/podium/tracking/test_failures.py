"""What may pass by itself is told from what needs a person, by class and code."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import botocore.exceptions as s3
import pytest
import requests
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos import databricks_pb2 as codes
from sqlalchemy.exc import OperationalError

from podium.errors import PodiumError, TransientError
from podium.tracking.failures import is_transient, translate


def wrapped(below: Exception, code: int = codes.INTERNAL_ERROR) -> Exception:
    """MLflow's exception around another library's, as its client and its store raise them."""
    try:
        try:
            raise below
        except type(below):
            raise MlflowException(str(below), error_code=code)  # noqa: B904 - as MLflow does it
    except MlflowException as error:
        return error


def answered(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"{status}", response=response)


def of_sqlite(code: int) -> OperationalError:
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return OperationalError("SELECT 1", {}, error)


def of_postgres(state: str | None, text: str = "what PostgreSQL says") -> OperationalError:
    return OperationalError("SELECT 1", {}, type("OperationalError", (Exception,), {"pgcode": state})(text))


def refused(code: int) -> RestException:
    return RestException({"error_code": codes.ErrorCode.Name(code), "message": "what the server says"})


PASSES: dict[str, Exception] = {
    "refused connection": requests.ConnectionError("refused"),
    "refused connection, wrapped": wrapped(requests.ConnectionError("refused")),
    "timeout, wrapped": wrapped(requests.ReadTimeout("slow")),
    "429": refused(codes.REQUEST_LIMIT_EXCEEDED),
    "500": refused(codes.INTERNAL_ERROR),
    "503": refused(codes.TEMPORARILY_UNAVAILABLE),
    "502 of an upload": answered(502),
    "429 of an upload": answered(429),
    "SQLite, busy": wrapped(of_sqlite(sqlite3.SQLITE_BUSY), codes.TEMPORARILY_UNAVAILABLE),
    "SQLite, busy snapshot": of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT),
    "SQLite, locked table": of_sqlite(sqlite3.SQLITE_LOCKED),
    "PostgreSQL, away": of_postgres(None, "connection to server failed: Connection refused"),
    "PostgreSQL, starting": of_postgres("57P03"),
    "PostgreSQL, deadlock": of_postgres("40P01"),
    "cut connection": ConnectionResetError("cut"),
    "S3, away": s3.EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
    "S3, slow": s3.ReadTimeoutError(endpoint_url="http://127.0.0.1:1"),
    "S3, too many": s3.ClientError({"ResponseMetadata": {"HTTPStatusCode": 503}}, "PutObject"),
    "ours": TransientError("later"),
}
STAYS: dict[str, Exception] = {
    "bad request": refused(codes.INVALID_PARAMETER_VALUE),
    "permission": refused(codes.PERMISSION_DENIED),
    "not signed in": refused(codes.UNAUTHENTICATED),
    "missing thing": refused(codes.RESOURCE_DOES_NOT_EXIST),
    "403 of an upload": answered(403),
    "certificate": wrapped(requests.exceptions.SSLError("self-signed")),
    "no address": wrapped(requests.exceptions.MissingSchema("no scheme")),
    "no database": wrapped(of_sqlite(sqlite3.SQLITE_NOTADB), codes.TEMPORARILY_UNAVAILABLE),
    "read-only": of_sqlite(sqlite3.SQLITE_READONLY),
    "disk full": of_sqlite(sqlite3.SQLITE_FULL),
    "PostgreSQL, wrong password": of_postgres(None, 'FATAL:  password authentication failed for user "me"'),
    "PostgreSQL, no table": of_postgres("42P01"),
    "S3, no key": s3.NoCredentialsError(),
    "S3, forbidden": s3.ClientError({"ResponseMetadata": {"HTTPStatusCode": 403}}, "PutObject"),
    "ours": PodiumError("a mistake"),
    "a mistake in the code": KeyError("name"),
}


@pytest.mark.parametrize("name", PASSES)
def test_what_may_pass_is_tried_again(name: str) -> None:
    assert is_transient(PASSES[name])
    assert isinstance(translate(PASSES[name], "sqlite:////project/mlflow.db"), TransientError)


@pytest.mark.parametrize("name", STAYS)
def test_what_never_passes_is_not(name: str) -> None:
    assert not is_transient(STAYS[name])
    assert not isinstance(translate(STAYS[name], "sqlite:////project/mlflow.db"), TransientError)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("permission", "MLFLOW_TRACKING_USERNAME"),
        ("403 of an upload", "MLFLOW_TRACKING_TOKEN"),
        ("certificate", "MLFLOW_TRACKING_SERVER_CERT_PATH"),
        ("no address", "`echo $MLFLOW_TRACKING_URI`"),
        ("no database", "`mv mlflow.db mlflow.db.broken`"),
        ("disk full", "make room"),
        ("bad request", "correct what it names"),
    ],
)
def test_what_never_passes_is_answered_with_what_to_do(name: str, advice: str) -> None:
    assert advice in str(translate(STAYS[name], "http://127.0.0.1:5000"))


def test_a_message_holds_no_password() -> None:
    error = MlflowException("API request to http://me:secret@host:5000/api failed")
    assert "secret" not in str(translate(error, "http://me:secret@host:5000"))


def write_twice(path: Path) -> None:
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(path, timeout=0)) as other:
        one.execute("CREATE TABLE things (name)")
        one.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")


def read_text(path: Path) -> None:
    path.write_text("this is no database, and longer than the head of one")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT * FROM things")


@pytest.mark.parametrize(("do", "passes"), [(write_twice, True), (read_text, False)])
def test_sqlite_itself_is_understood(tmp_path: Path, do: Callable[[Path], Any], passes: bool) -> None:
    with pytest.raises(sqlite3.Error) as raised:
        do(tmp_path / "store.db")
    assert is_transient(raised.value) is passes
