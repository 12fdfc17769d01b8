"""A review of a change: what it means for the data and for every candidate, and what the gate would say.

    python -m flows.review [NAME...] --base main [--summary FILE] [--images ADDRESS]

For pull requests (.github/workflows/train.yml) and for people. It runs the stages here, and those of the base in an
isolated clone; DVC's cache restores on both sides what it has. It publishes and promotes nothing, and needs no server.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.command import INTERRUPTED, quieten, showing, stopped_by_interrupt
from flows.display import Display
from podium.config import Params, load_params
from podium.datasets.additions import read_dataset
from podium.datasets.validation.changes import write_changes
from podium.datasets.validation.drift import compare
from podium.datasets.validation.manifest import COMPARED, load_manifest
from podium.datasets.validation.summary import describe_changes, describe_validation, read_summary
from podium.errors import PodiumError
from podium.files import remove
from podium.pages.markdown import block, code, say
from podium.paths import LOCK, PARAMS, DatasetPaths, project_root
from podium.registry.review import Side, describe_review, draw_images, review
from podium.workspace.clone import check_out, isolated_clone
from podium.workspace.graph import is_current, load_stages, select
from podium.workspace.repro import no_stage_outlives, reproduce
from podium.workspace.revisions import find_revision

FOLDER = Path("reports/review")
HERE = "this branch"


@dataclass(frozen=True)
class Plan:
    """What is to be reviewed, and against what.

    Attributes:
        root: the project's root.
        params: its params page.
        targets: names of datasets and candidates; None: all.
        base: the revision to compare with, as it was named.
        commit: its sha.
        images: the address below which the images will be; empty if nobody will put them anywhere.
    """

    root: Path
    params: Params
    targets: list[str] | None
    base: str
    commit: str
    images: str

    @property
    def datasets(self) -> list[str]:
        """The datasets that are concerned."""
        stages = select(load_stages(self.root), self.targets)
        return [name for name in self.params.datasets if any(stage.entry == name for stage in stages)]


def write_review(plan: Plan, display: Display) -> tuple[str, bool]:
    """Run both revisions and compare them; give Markdown, and whether everything ran here.

    Raises:
        PodiumError: a target has no stage, or the clone cannot be made.
    """
    datasets = plan.datasets
    remove(plan.root / FOLDER)
    if fault := _run(plan.root, plan.targets, display):
        checked = [_describe_data(plan, name, None) for name in datasets]
        return "\n\n".join([f"## ❌ {HERE} does not run\n\n{block(fault)}", *filter(None, checked)]), False
    texts: list[str] = []
    head = Side(HERE, plan.root, plan.params)
    with isolated_clone(plan.root, plan.commit) as clone:
        before, fault = _run_base(plan, clone, display)
        if fault:
            texts.append(f"## ⚠️ {say(plan.base)} does not run: little to compare with\n\n{block(fault)}")
        for name in datasets:
            if (found := review(name, before, head)) is not None:
                drawn = draw_images(found, plan.root / FOLDER / f"{name}.png")
                texts.append(describe_review(found, f"{plan.images}{name}.png" if plan.images and drawn else ""))
        texts += [_describe_data(plan, name, before) for name in datasets]
    return "\n\n".join(filter(None, texts)), True


def _run_base(plan: Plan, clone: Path, display: Display) -> tuple[Side | None, str]:
    """Run the base, as far as it knows what is asked for; give it, and what kept a stage from being run."""
    display.say(f"{plan.base}, in an isolated clone:")
    try:
        if (clone / LOCK).is_file():
            check_out(clone)
        params = load_params(clone / PARAMS)
        known = [name for name in plan.targets or () if name in params.datasets or name in params.candidates]
        fault = _run(clone, known or None, display) if known or plan.targets is None else ""
    except PodiumError as error:
        return None, str(error)
    return Side(plan.base, clone, params), fault


def _describe_data(plan: Plan, name: str, before: Side | None) -> str:
    """Say what validation found in a dataset, and what changed since the base."""
    paths, dataset = DatasetPaths(name), plan.params.dataset(name)
    if not read_summary(plan.root / paths.validation):
        return ""
    found = describe_validation(f"the data of {name}", plan.root / paths.validation)
    if before is None or not (before.root / paths.manifest).is_file() or not (plan.root / paths.manifest).is_file():
        return found
    manifests = [load_manifest(root / paths.manifest, COMPARED) for root in (before.root, plan.root)]
    drift = compare(*manifests)
    changed, html = describe_changes(drift, dataset.classes), FOLDER / f"{name}-data.html"
    if not drift.nothing:
        title = f"{name} since {plan.commit[:10]}"
        images = read_dataset(name, dataset.format, plan.root)
        write_changes(title, drift, manifests[1], dataset, images, plan.root / html)
        changed = f"{changed}\n\nThe images that changed: {code(html)}."
    return f"{found}\n\n### Since {say(plan.base)}\n\n{changed}"


def _run(root: Path, targets: list[str] | None, display: Display) -> str:
    """Bring stages up to date, and say what kept one from it; nothing if all are."""
    with no_stage_outlives():
        for stage in select(load_stages(root), targets):
            if is_current(root, stage.name):
                continue
            with display.work(stage.title) as work:
                try:
                    ran = reproduce(root, stage.name, work.hear)
                except PodiumError as error:
                    work.fail()
                    return str(error)
                work.end((stage.description or "done") if ran else "taken from DVC's cache")
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Review once; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m flows.review", description="Train, and compare with a revision.")
    parser.add_argument("targets", nargs="*", metavar="NAME", help="datasets and candidates; all by default")
    parser.add_argument("--base", required=True, metavar="REVISION", help="what to compare with: main, a commit, a tag")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="append the review to this file, too")
    parser.add_argument("--images", default="", metavar="ADDRESS", help="where the images of reports/review will be")
    parsed = parser.parse_args(arguments)
    try:
        root = project_root()
        params, commit = load_params(root / PARAMS), find_revision(root, parsed.base)
        plan = Plan(root, params, parsed.targets or None, parsed.base, commit, parsed.images)
        with showing(sys.stderr) as display, stopped_by_interrupt(display, is_temporary=False):
            quieten(display)
            text, good = write_review(plan, display)
    except PodiumError as error:
        text, good = f"## ❌ There is no review\n\n{block(str(error))}", False
        print(error, file=sys.stderr)  # noqa: T201 - a command answers on the terminal
    except KeyboardInterrupt:
        return INTERRUPTED
    print(text)  # noqa: T201
    try:
        if parsed.summary:
            with parsed.summary.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")
    except OSError as error:
        print(f"The review cannot be written to {parsed.summary}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
