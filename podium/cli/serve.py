"""`podium serve`: a page in the browser on which people ask the champions about images."""

import argparse
import signal
import sys
from pathlib import Path
from threading import Event

from podium.cli.screen import harmless
from podium.loopback import spare_loopback

PORT = 7860


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the models, and where to listen."""
    parser.add_argument(
        "models", nargs="*", metavar="NAME@champion", help="models to begin with; by default every champion"
    )
    parser.add_argument("--port", type=int, default=PORT, metavar="P", help=f"where to listen; {PORT} by default")
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="H", help="who may ask: this machine alone, or 0.0.0.0 for its network"
    )
    parser.add_argument(
        "--share", action="store_true", help="a public address for a week, by Gradio's servers: all images pass them"
    )


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Serve until Ctrl-C, or until the process is ended; what people uploaded goes with it."""
    spare_loopback()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    from podium.serving.app.server import LOOPBACK, serving

    with serving(root, arguments.models, arguments.host, arguments.port, share=arguments.share) as address:
        print(f"The app is at {harmless(address)}; Ctrl-C ends it.", flush=True)
        if arguments.share or arguments.host not in LOOPBACK:
            print("Others can reach this page: they may ask the models, and label images. There is no password.")
        Event().wait()
