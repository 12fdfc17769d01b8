"""`podium schedule`: the pipeline by the clock, in a process that stays."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the cron line."""
    parser.add_argument(
        "--cron", default="0 3 * * *", help="when, as a cron line (default: %(default)s, every night at three)"
    )


def run(_root: Path, arguments: argparse.Namespace) -> None:
    """Serve the flow until the process is stopped."""
    from flows import naming_settings

    with naming_settings():
        from flows.schedule import serve_pipeline  # Prefect: a second to import
    serve_pipeline(arguments.cron)
