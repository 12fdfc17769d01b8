"""Loopback goes past every proxy, whatever the environment says."""

import os

import pytest

from podium.loopback import spare_loopback


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "localhost,127.0.0.1,::1"),
        ("", "localhost,127.0.0.1,::1"),
        ("example.org, 127.0.0.1", "example.org,127.0.0.1,localhost,::1"),
        ("*", "*"),
    ],
)
def test_loopback_is_added_to_what_is_spared(monkeypatch: pytest.MonkeyPatch, before: str | None, after: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, before or "")
        if before is None:
            monkeypatch.delenv(name)
    spare_loopback()
    assert os.environ["no_proxy"] == after
