"""The app's server: the page is there at once, and the models are loaded behind it."""

import logging
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from podium.errors import PodiumError
from podium.images.given import MAX_BYTES
from podium.serving.app.desk import Desk
from podium.serving.app.shelf import Shelf
from podium.tracking.request_log import RequestLog

logger = logging.getLogger(__name__)

LOOK_SECONDS = 4.0
"""Between two looks at MLflow."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def set_switches(folder: str) -> None:
    """Tell Gradio, before it is imported, to ask nobody outside, and where to keep what people upload."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_TEMP_DIR"] = folder


@contextmanager
def serving(root: Path, names: Sequence[str], host: str, port: int, *, share: bool = False) -> Iterator[str]:
    """Serve the app for as long as the block lasts; give its address.

    Args:
        root: the project's root.
        names: of the models to begin with: `digits@champion`.
        host: the address to listen at.
        port: the port; 0 takes any that is free.
        share: have Gradio open a public address, by its own servers.

    Raises:
        PodiumError: the port is taken, Gradio is not installed, or there is no model.
    """
    port = _find_port(host, port)
    with tempfile.TemporaryDirectory(prefix="podium-app-") as folder:
        set_switches(folder)
        layout, theme = _import_page()
        shelf = Shelf.of(root, names)
        log = RequestLog.from_environment()
        page = layout.make_page(Desk(root, shelf, log))
        ended = Event()
        try:
            _, local, shared = page.launch(
                server_name=host,
                server_port=port,
                share=share,
                inline=False,
                inbrowser=False,
                quiet=True,
                show_error=False,
                prevent_thread_lock=True,
                allowed_paths=[],
                max_file_size=MAX_BYTES,
                footer_links=[],
                run_history=False,
                enable_monitoring=False,
                ssr_mode=False,
                mcp_server=False,
                pwa=False,
                state_session_capacity=200,
                theme=theme.make_theme(),
                css=theme.read_style(),
            )
            Thread(target=_keep_looking, args=(shelf, ended), daemon=True).start()
            yield shared or local
        finally:
            ended.set()
            page.close(verbose=False)
            if log:
                log.flush()


def _keep_looking(shelf: Shelf, ended: Event) -> None:
    """Load the models to begin with, and follow the registry.

    One that cannot be loaded is tried again when MLflow answers again, or has something new.
    """
    refused: dict[str, object] = {}
    while not ended.is_set():
        shelf.look()
        for name in shelf.first:
            now = (shelf.registered, shelf.away)
            if shelf.is_loaded(name) or refused.get(name) == now:
                continue
            try:
                shelf.take(name)
            except PodiumError as error:
                logger.warning("%s: %s", name, error)
                refused[name] = now
        ended.wait(LOOK_SECONDS)


def _find_port(host: str, port: int) -> int:
    """Give the port; where it is 0, one that is free.

    Raises:
        PodiumError: somebody has it, or the host is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PodiumError(
                f"The app cannot listen at {host}, port {port}: {error.strerror}. Give another one: --port {port + 1}."
            ) from None
        return int(probe.getsockname()[1])


def _import_page() -> tuple[Any, Any]:
    """Import what imports Gradio: it takes seconds, and may not be installed."""
    try:
        from podium.serving.app import page, theme
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("gradio"):
            raise
        raise PodiumError(
            "The app needs Gradio, which is not installed here. Type: pip install 'gradio>=6.31'"
        ) from None
    return page, theme
