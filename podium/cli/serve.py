"""`podium serve`: a page in the browser on which people ask the champions about images."""

import argparse
import os
import signal
import sys
from pathlib import Path
from threading import Event

from podium.cli.screen import harmless
from podium.errors import PodiumError
from podium.loopback import spare_loopback
from podium.paths import REQUESTS

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
    parser.add_argument(
        "--log",
        nargs="?",
        const=REQUESTS,
        type=Path,
        metavar="FOLDER",
        help=f"note what is asked and answered, for `podium watch`, in {REQUESTS} or another folder; no image, no name",
    )
    parser.add_argument("--log-images", action="store_true", help="keep the images as the model saw them there, too")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Serve until Ctrl-C, or until the process is ended; what people uploaded goes with it."""
    spare_loopback()
    if arguments.log_images and not arguments.log:
        raise PodiumError("--log-images keeps images beside a log of requests. Say --log, too.")
    if arguments.log:
        folder = root / REQUESTS if arguments.log == REQUESTS else arguments.here / arguments.log
        from podium.tracking.request_log import FOLDER, IMAGES

        os.environ |= {FOLDER: str(folder), IMAGES: str(int(arguments.log_images))}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    from podium.serving.app.server import LOOPBACK, serving

    with serving(root, arguments.models, arguments.host, arguments.port, share=arguments.share) as address:
        print(f"The app is at {harmless(address)}; Ctrl-C ends it.", flush=True)
        if arguments.share or arguments.host not in LOOPBACK:
            print("Others can reach this page: they may ask the models, and label images. There is no password.")
        if arguments.log:
            what = "with the images as the model saw them" if arguments.log_images else "without the images"
            print(f"What is asked is noted in {harmless(str(arguments.log))}, {what}; `podium watch` looks at it.")
        Event().wait()
