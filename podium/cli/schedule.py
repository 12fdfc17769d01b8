"""`podium schedule [FLOW]`: a flow by the clock, in a process that stays."""

import argparse
from pathlib import Path

FLOWS = ("retrain", "pipeline", "data-check")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the flow and the cron line."""
    parser.add_argument(
        "flow", nargs="?", choices=FLOWS, default="retrain", help="what runs (default: %(default)s, only with a reason)"
    )
    parser.add_argument(
        "--cron", default="0 3 * * *", help="when, as a cron line (default: %(default)s, every night at three)"
    )


def run(_root: Path, arguments: argparse.Namespace) -> None:
    """Serve the flow until the process is stopped."""
    from flows import naming_settings

    with naming_settings():
        from flows.schedule import serve  # Prefect: a second to import
    serve(arguments.flow, arguments.cron)
