"""`podium promote NAME/3`: a version becomes champion, if the gate says so or a person takes the blame."""

import argparse
from pathlib import Path

from podium.cli.screen import harmless
from podium.config import load_params
from podium.errors import PodiumError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the version, and the reason."""
    parser.add_argument("model", metavar="NAME/3", help="the version: digits/3, or digits@challenger")
    parser.add_argument(
        "--force", action="store_true", help="whatever the gate says; it is asked and kept all the same"
    )
    parser.add_argument("--why", default="", metavar="TEXT", help="the reason, for the journal; --force needs it")
    parser.add_argument("--to", metavar="URI", help="copy the version, with its evidence, to another tracking server")


def run(root: Path, arguments: argparse.Namespace) -> int:
    """Promote it, or say why not: then the status is 1."""
    if arguments.to:
        if arguments.force or arguments.why:
            raise PodiumError("--to copies a version as it is. Expected it without --force and --why.")
        from podium.registry.move import move

        print(harmless(move(root, arguments.model, arguments.to)))
        return 0
    from podium.registry.commands import promote_version  # MLflow: three seconds to import
    from podium.tracking.reaching import reaching

    with reaching(root, arguments.model) as client:
        outcome = promote_version(
            client, load_params(), root, arguments.model, force=arguments.force, why=arguments.why
        )
    print(harmless(outcome.reason))
    if outcome.card:
        print(f"The card: {harmless(outcome.card)}")
    if outcome.promoted or outcome.decision.ground == "champion":
        return 0
    print(f'To promote it all the same: podium promote {harmless(arguments.model)} --force --why "…"')
    return 1
