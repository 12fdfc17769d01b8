"""`podium notify`: have Prefect tell a webhook what a person needs to know."""

import argparse
import os
from pathlib import Path

from podium.cli.screen import harmless
from podium.errors import PodiumError

ADDRESS = "PODIUM_WEBHOOK_URL"
"""The environment variable with the address: it often holds a secret, and a command line can be seen by others."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the address, and what to do with it."""
    parser.add_argument("--url", help=f"the webhook's address (default: the environment variable {ADDRESS})")
    parser.add_argument("--remove", action="store_true", help="tell nobody any more")


def run(_root: Path, arguments: argparse.Namespace) -> None:
    """Set the automations up, or take them away; to do it twice is to do it once."""
    address = arguments.url or os.environ.get(ADDRESS, "")
    if not arguments.remove and not address.startswith(("http://", "https://")):
        raise PodiumError(
            f"Where to is not known: expected an address that begins with https://, in the environment variable "
            f"{ADDRESS} or after --url, such as the incoming webhook of Slack, Mattermost or Teams."
        )
    from flows import naming_settings

    with naming_settings():
        from flows.notify import notify, stop_notifying  # Prefect: a second to import
    for line in stop_notifying() if arguments.remove else notify(address):
        print(harmless(line))
