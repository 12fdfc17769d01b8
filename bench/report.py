"""docs/benchmarks.md: one section a bench, each with its table, and what machine it was measured on."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from bench.measure import Cost, ratios
from bench.workspace import changed_files, git

PACKAGES = ("dvc", "prefect", "mlflow", "tensorflow-cpu", "tensorflow", "keras", "numpy", "pandas", "pyarrow")
NONE = "–"

HEAD = """# Benchmarks

`python -m bench` wrote this page; `python -m bench NAME` measures one section again. Everything is measured in one
run on one machine, in temporary clones. Seconds are wall time of whole processes unless a row says otherwise, as
median (minimum–maximum); a ratio is that of the medians, between the smallest and the largest of the repetitions.
Targets are shown, not tested: timings belong to a machine.
"""


@dataclass(frozen=True)
class Row:
    """One line of a table, as text: what is measured, ours, the other, their ratio, the target, whether reached."""

    what: str
    ours: str
    other: str = NONE
    ratio: str = NONE
    target: str = NONE
    reached: bool | None = None

    def __str__(self) -> str:
        """Write the line."""
        reached = {True: "yes", False: "no", None: NONE}[self.reached]
        return f"| {self.what} | {self.ours} | {self.other} | {self.ratio} | {self.target} | {reached} |"


def compare(what: str, ours: Sequence[Cost], other: Sequence[Cost], target: float | None = None) -> Row:
    """Make the row of two costs: seconds, and their ratio against the highest that is wanted."""
    low, middle, high = ratios([cost.wall for cost in ours], [cost.wall for cost in other])
    return Row(
        *(what, describe_costs(ours), describe_costs(other), f"**{middle:.2f}** ({low:.2f}–{high:.2f})"),
        target=NONE if target is None else f"at most {target:g}",
        reached=None if target is None else middle <= target,
    )


def describe_costs(costs: Sequence[Cost]) -> str:
    """Write wall seconds with their spread, and CPU seconds."""
    return f"{seconds([cost.wall for cost in costs])}, CPU {median(cost.cpu for cost in costs):.2f} s"


def seconds(values: Sequence[float]) -> str:
    """Write seconds with their spread."""
    digits = 1 if median(values) >= 20 else 2
    return f"{median(values):.{digits}f} s ({min(values):.{digits}f}–{max(values):.{digits}f})"


def section(name: str, description: str, rows: Sequence[Row], options: str) -> str:
    """Write a bench's section."""
    changed = any(not name.startswith("docs/") for name in changed_files())
    commit = git("rev-parse", "--short", "HEAD").strip() + (" and changes on top" if changed else "")
    lines = [
        *(f"## {name}", "", description.strip(), ""),
        "| what | ours | the other | ratio | target | reached |",
        "| --- | --- | --- | --- | --- | --- |",
        *map(str, rows),
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}, {processor()}.{options}",
    ]
    return "\n".join(lines) + "\n"


def write_page(path: Path, sections: dict[str, str], order: Sequence[str]) -> None:
    """Put sections into the page; those of other benches stay as they are."""
    found = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:] if path.is_file() else []
    kept = {text.partition("\n")[0]: f"## {text.rstrip()}\n" for text in found} | sections
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEAD, machine(), *(kept[name] for name in order if name in kept)]), encoding="utf-8")


def machine() -> str:
    """Describe this machine and what is installed, without saying which machine it is."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    packages = ", ".join(f"{name} {found}" for name in PACKAGES if (found := _installed(name)))
    return (
        "## Machine\n\n"
        f"Of the newest section: {processor()}, {memory:.0f} GiB of memory, {_system()}, "
        f"Python {platform.python_version()}; {packages}.\n"
    )


def processor() -> str:
    """Name the processor and count its cores."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), flags=re.M)
    except OSError:
        found = None
    return f"{found[1] if found else platform.machine()}, {os.cpu_count()} cores"


def _system() -> str:
    release = ".".join(platform.release().split(".")[:2])
    kernel = f"{platform.system()} {release}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']} ({kernel})"
    except OSError:
        return kernel


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except ModuleNotFoundError:  # PackageNotFoundError is one
        return None
