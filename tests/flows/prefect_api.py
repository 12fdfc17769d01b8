"""Asking a real Prefect server."""

import json
import time
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError


def ask(address: str, path: str, content: Any = None, *, method: str | None = None, tries: int = 10) -> Any:
    """Ask Prefect's API, which sends away (503) who comes while its SQLite is busy."""
    data = None if content is None else json.dumps(content).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{address}/{path}", data, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - a loopback address of ours
            text = answer.read()
        return json.loads(text) if text else None
    except HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE or not tries:
            raise
    time.sleep(1)
    return ask(address, path, content, method=method, tries=tries - 1)


def wait_for(find: Callable[[], Any], seconds: float) -> Any:
    """Give what is found, once there is something."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, f"nothing was found within {seconds:.0f} s"
        time.sleep(0.5)
    return found
