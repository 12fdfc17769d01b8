"""`podium list`: the recipes, their datasets and candidates, and the best published results."""

import argparse
from pathlib import Path

from podium.config.recipes import describe_recipes


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Take none."""


def run(root: Path, _arguments: argparse.Namespace) -> None:
    """Show the recipes as a table; a star marks the one in use."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("recipe", no_wrap=True)
    table.add_column("source; dataset: candidates", overflow="fold")
    table.add_column("published", no_wrap=True)
    faults = []
    for recipe in describe_recipes(root):
        title = f"{recipe.name}{' *' if recipe.in_use else ''}"
        for entry in recipe.entries:
            what = f"{entry.source}\n{entry.dataset}: {', '.join(entry.candidates)}"
            table.add_row(title, what, "\n".join(entry.published), end_section=True)
            title = ""
        if recipe.fault:
            table.add_row(title, "cannot be read: see below")
            faults.append(recipe.fault)
    Console().print(table)
    print("* is in use: params.yaml is the same")
    for fault in faults:
        print(f"\n{fault}")
