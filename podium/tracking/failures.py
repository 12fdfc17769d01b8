"""What MLflow and the libraries below it raise: whether it may pass by itself, and what a person does about it."""

import re
import sqlite3
from http import HTTPStatus

import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    CUSTOMER_UNAUTHORIZED,
    DEADLINE_EXCEEDED,
    ENDPOINT_NOT_FOUND,
    INTERNAL_ERROR,
    PERMISSION_DENIED,
    REQUEST_LIMIT_EXCEEDED,
    RESOURCE_EXHAUSTED,
    TEMPORARILY_UNAVAILABLE,
    UNAUTHENTICATED,
    ErrorCode,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from podium.errors import PodiumError, TransientError

try:  # where artifacts go straight to an S3
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    _STORES: tuple[type[Exception], ...] = ()
else:
    _STORES = (BotoCoreError, ClientError)

LIBRARIES = {"mlflow", "requests", "urllib3", "sqlalchemy", "sqlite3", "botocore", "boto3"}
"""Whose exceptions are MLflow's failures: the modules of their classes begin like this."""

LIBRARY_ERRORS: tuple[type[Exception], ...] = (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, *_STORES)
"""The exceptions that a call to MLflow may raise; those of requests are OSErrors."""
FAILURES: tuple[type[Exception], ...] = (*LIBRARY_ERRORS, PodiumError)
"""The same, and what podium makes of them."""

_PASSING = {
    ErrorCode.Name(code)
    for code in (
        DEADLINE_EXCEEDED,
        INTERNAL_ERROR,  # 500, and all 5xx without a code of their own
        REQUEST_LIMIT_EXCEEDED,
        RESOURCE_EXHAUSTED,
        TEMPORARILY_UNAVAILABLE,
    )
}
_REFUSED = {ErrorCode.Name(code) for code in (CUSTOMER_UNAUTHORIZED, PERMISSION_DENIED, UNAUTHENTICATED)}
_STATUSES = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
_LOCKS = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SQLITE = {
    sqlite3.SQLITE_CORRUPT: "The database is damaged: move it away, `mv mlflow.db mlflow.db.broken`.",
    sqlite3.SQLITE_NOTADB: "The file is no database: move it away, `mv mlflow.db mlflow.db.broken`.",
    sqlite3.SQLITE_FULL: "The disk is full: make room.",
    sqlite3.SQLITE_READONLY: "The database may not be written: `ls -l mlflow.db` shows whose it is.",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened: its folder is missing, or belongs to someone else.",
}
_PASSING_STATES = ("08", "40", "53", "55", "57")
"""Classes of SQLSTATE: connections, rollbacks, too many clients, locks, a server that starts or stops."""
_REFUSALS = ("authentication failed", "no password supplied", "does not exist")
"""In texts, as a connection that PostgreSQL refuses has no code (psycopg2)."""


def is_transient(error: BaseException) -> bool:
    """Say whether an exception of MLflow, or of a library that it works with, may pass by itself.

    These do: a connection that fails or times out, the answers 408, 429 and 5xx, and a locked database. All others need
    a person: a bad request, a missing permission, a thing that is not there, a file that is no database.
    """
    return isinstance(error, TransientError) or _may_pass(_root_of(error))


def translate(error: Exception, uri: str) -> PodiumError:
    """Give an exception as the one message that a person reads.

    Args:
        error: of MLflow, or of a library that it works with.
        uri: MLflow's address; its password is not shown.

    Returns:
        A TransientError where waiting may help; else a PodiumError that says what to do.
    """
    if isinstance(error, PodiumError):
        return error
    said = shown_uri(f"MLflow at {uri} did not do its part: {first_words(error)}")
    return TransientError(said) if is_transient(error) else PodiumError(said, hint=_advise(error))


def shown_uri(text: str) -> str:
    """Give an address, or a text with addresses, without passwords, for people."""
    return re.sub(r"://[^/@\s]*@", "://…@", text)


def _root_of(error: BaseException) -> BaseException:
    """Give the exception that decides: that of the library below, where MLflow only wraps it."""
    below = error.__cause__ or error.__context__
    wraps = isinstance(error, MlflowException) and error.error_code in _PASSING | {"BAD_REQUEST"}
    if wraps and isinstance(below, requests.RequestException | SQLAlchemyError | OSError):
        return below
    return error


def _may_pass(error: BaseException) -> bool:
    match error:
        case MlflowException():
            return error.error_code in _PASSING
        case requests.exceptions.SSLError():
            return False
        case requests.HTTPError() if error.response is not None:
            return error.response.status_code in _STATUSES or error.response.status_code >= 500
        case requests.ConnectionError() | requests.Timeout() | requests.exceptions.RetryError():
            return True
        case requests.exceptions.ChunkedEncodingError() | ConnectionError() | TimeoutError() | PoolTimeout():
            return True
        case DBAPIError():
            return error.connection_invalidated or _database_may_answer(error.orig)
        case sqlite3.Error():
            return _database_may_answer(error)
        case _:
            return isinstance(error, _STORES) and _store_may_answer(error)


def _store_may_answer(error: BaseException) -> bool:
    """Say whether an S3 may answer later: it did not answer at all, or too many asked, or it failed."""
    answer = getattr(error, "response", None) or {}
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if status is None:
        return {"ConnectionError", "HTTPClientError"} & {kind.__name__ for kind in type(error).__mro__} != set()
    return status in _STATUSES or status >= 500


def _database_may_answer(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return _sqlite_code(error) in _LOCKS
    if state := getattr(error, "sqlstate", None) or getattr(error, "pgcode", None):
        return str(state).startswith(_PASSING_STATES)
    return type(error).__name__ in ("OperationalError", "InterfaceError") and not any(
        words in str(error) for words in _REFUSALS
    )


def _sqlite_code(error: sqlite3.Error) -> int:
    """Give the primary one of SQLite's codes; -1 if Python raised the error by itself."""
    return int(getattr(error, "sqlite_errorcode", -1)) & 0xFF


def _advise(error: Exception) -> str:
    """Say what to do about what does not pass by itself."""
    root = _root_of(error)
    database = root.orig if isinstance(root, DBAPIError) else root
    status = root.response.status_code if isinstance(root, requests.HTTPError) and root.response is not None else 0
    code = getattr(error, "error_code", "")
    if isinstance(database, sqlite3.Error) and (advice := _SQLITE.get(_sqlite_code(database))):
        return advice
    if code in _REFUSED or status in (401, 403):
        return "Who may do this? Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN."
    if isinstance(root, requests.exceptions.SSLError):
        return "Name the certificate that signs the server's: `export MLFLOW_TRACKING_SERVER_CERT_PATH=FILE`."
    if code == ErrorCode.Name(ENDPOINT_NOT_FOUND) or isinstance(root, ValueError):
        return "Is that an MLflow server's address, and of MLflow 3? `echo $MLFLOW_TRACKING_URI` shows it."
    return "To wait does not help here: correct what it names, and type the same command again."


def first_words(error: Exception) -> str:
    """Give the text of an exception without the statement and the links that SQLAlchemy puts below it."""
    text = str(error).partition("\n[SQL")[0].partition("\n(Background")[0].strip() or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."
