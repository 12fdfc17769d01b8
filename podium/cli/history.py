"""`podium history NAME`: what happened to a dataset's champions, and why."""

import argparse
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from podium.cli.screen import harmless

if TYPE_CHECKING:
    from podium.registry.journal import Entry, Numbered

WIDTH = 100
"""Characters of a line, at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the dataset, and how much to show."""
    parser.add_argument("dataset", metavar="NAME", help="the dataset, whose name the registered model has")
    parser.add_argument("--last", type=int, metavar="N", help="only the newest N entries")


def run(root: Path, arguments: argparse.Namespace) -> None:
    """Print the journal, the newest entry last: a line of facts an entry, and below it why."""
    from podium.registry.commands import read_history  # MLflow: three seconds to import
    from podium.tracking.reaching import reaching

    with reaching(root, arguments.dataset) as client:
        entries = read_history(client, arguments.dataset)
    shown = entries if arguments.last is None else entries[max(0, len(entries) - max(0, arguments.last)) :]
    if len(shown) < len(entries):
        print(f"… {len(entries) - len(shown):,} earlier")
    for one in shown:
        _show(one, arguments.dataset)


def _show(one: "Numbered", dataset: str) -> None:
    entry = one.entry
    when = entry.when[:16].replace("T", " ")
    verdict = f": {entry.verdict}" if entry.verdict else ""
    facts = (f"{when} UTC", f"{entry.action} {dataset}/{entry.version}{verdict}", _champion(entry), entry.who)
    print(harmless(f"{one.number:>4}  {'  '.join(facts)}"))
    for line in wrap(harmless(entry.why), WIDTH - 6):
        print(f"      {line}")


def _champion(entry: "Entry") -> str:
    before, after = (
        f"version {version}" if version else "none" for version in (entry.champion_before, entry.champion_after)
    )
    return f"champion: {after}" if before == after else f"champion: {before} → {after}"
