"""`podium sync`: what MLflow did not take is sent now."""

import argparse
from pathlib import Path

from podium.cli.screen import harmless
from podium.config import load_params


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Take none."""


def run(root: Path, _arguments: argparse.Namespace) -> int:
    """Send what the spool holds, say what is left; exit status 1 if anything is."""
    params = load_params()
    from podium.tracking import Ledger  # MLflow: three seconds to import

    ledger = Ledger(root, params)
    for line in ledger.sync():
        print(harmless(line))
    left = ledger.spool.snapshots()
    print(f"Left: {ledger.spool.describe()} in {ledger.spool.folder}." if left else "MLflow has everything.")
    return int(bool(left))
