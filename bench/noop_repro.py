"""`dvc repro` with nothing to do: the shipped page against six stages of DVC alone.

Ours is the project with the page `digits` as shipped, two candidates, everything up to date. The other is a fresh
DVC repository of six chained stages, each with one dependency, one param and one output, whose command is `true`
(with an empty file as its output): what DVC itself costs. Both are whole `dvc` commands, in turn.
"""

from pathlib import Path

import yaml

from bench.measure import interleave, run
from bench.options import Options
from bench.report import Row, compare
from bench.workspace import environment, folder, workspace

DURATION = "About three minutes"

STAGES = ("one", "two", "three", "four", "five", "six")


def measure(options: Options) -> list[Row]:
    """Compare the two."""
    with workspace() as shipped, folder() as home:
        shipped.use("digits")
        bare, its_environment = home / "project", environment(home)
        make_bare_project(bare, its_environment)
        shipped.run("dvc", "repro")
        run(("dvc", "repro"), bare, its_environment)
        ours, other = interleave(
            lambda: shipped.run("dvc", "repro"),
            lambda: run(("dvc", "repro"), bare, its_environment),
            options.repeat(15),
        )
        count = len(yaml.safe_load((shipped.root / "dvc.lock").read_text(encoding="utf-8"))["stages"])
    return [compare(f"no-op `dvc repro`, {count} stages against {len(STAGES)} bare ones", ours, other, 1.5)]


def make_bare_project(root: Path, its_environment: dict[str, str]) -> None:
    """Make a DVC repository of stages that do nothing."""
    root.mkdir()
    for command in (
        ("git", "init", "--quiet"),
        ("dvc", "init", "--quiet"),
        ("dvc", "config", "core.analytics", "false"),
        ("dvc", "config", "core.check_update", "false"),
    ):
        run(command, root, its_environment)
    stages = {
        name: {"cmd": f"true > {name}.out", "deps": [dependency], "params": [name], "outs": [f"{name}.out"]}
        for name, dependency in zip(STAGES, ("source.txt", *(f"{name}.out" for name in STAGES)), strict=False)
    }
    (root / "source.txt").write_text("nothing\n")
    (root / "params.yaml").write_text(yaml.safe_dump(dict.fromkeys(STAGES, 1)))
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
