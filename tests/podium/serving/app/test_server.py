import socket
import sys
from pathlib import Path

import pytest

from podium.errors import PodiumError
from podium.serving.app.server import serving


def test_a_port_that_somebody_has_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PodiumError, match=rf"--port {port + 1}"), serving(tmp_path, [], "127.0.0.1", port):
            pass


def test_a_host_that_is_none_of_this_machine_is_said(tmp_path: Path) -> None:
    with pytest.raises(PodiumError, match="cannot listen at"), serving(tmp_path, [], "192.0.2.1", 0):
        pass


def test_without_gradio_it_is_said_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("podium.serving.app.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gradio", None)
    for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")
    with pytest.raises(PodiumError, match="pip install 'gradio"), serving(tmp_path, [], "127.0.0.1", 0):
        pass
