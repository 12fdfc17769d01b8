"""`podium reproduce`: a version is built again from its commit, its lock and its data, and held against what it was."""

import logging
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from podium.errors import PodiumError
from podium.evaluation.predictions import load_predictions
from podium.files import scratch_folder
from podium.paths import ADDITIONS, LOCK, PARAMS, REVIEW, CandidatePaths, DatasetPaths
from podium.registry.proof.circumstances import (
    Source,
    describe_changed_machine,
    describe_changed_packages,
    describe_edited,
    read_source,
)
from podium.registry.proof.likeness import TOLERANCE, Compared, Distance, compare_outputs, measure_distance
from podium.registry.proof.subject import Subject, fetch_lineage, find_subject
from podium.tracking.published import REPORTS, download_files
from podium.tracking.reaching import reaching
from podium.workspace.clone import bring_raw, clone_at, find_changed_code, link_named_files, restore_accepted
from podium.workspace.graph import load_stages, select
from podium.workspace.lock import Output, read_outputs
from podium.workspace.repro import no_stage_outlives
from podium.workspace.repro import reproduce as run_stage

logger = logging.getLogger(__name__)

PREDICTIONS = "predictions.parquet"


@dataclass(frozen=True)
class Reproduction:
    """What came of building a version again.

    Attributes:
        title: `digits/3`.
        notes: what is not as it was when the version was made; a sentence each.
        outputs: each output of each stage that was run again.
        distance: between the answers of the two models; None if they were asked about different images.
        excused: whether something that rounding depends on is not as it was, so that bytes need not be the same.
    """

    title: str
    notes: tuple[str, ...]
    outputs: tuple[Compared, ...]
    distance: Distance | None
    excused: bool

    @property
    def verdict(self) -> Literal["identical", "close", "apart"]:
        """The same bytes; or answers within the tolerance; or neither."""
        if not any(one.same is False for one in self.outputs):
            return "identical"
        return "close" if self.distance is not None and self.distance.is_close else "apart"

    @property
    def holds(self) -> bool:
        """Whether that is what is promised: the same bytes in the same circumstances, else the tolerance."""
        return self.verdict == "identical" or (self.verdict == "close" and self.excused)

    @property
    def text(self) -> str:
        """In a sentence or two."""
        timed, other = (sum(one.same is same for one in self.outputs) for same in (None, False))
        if self.verdict == "identical":
            rest = f", but for {timed} that hold times" if timed else ""
            return f"{self.title} is built again: all {len(self.outputs)} outputs have the same bytes{rest}."
        apart = "the images are others" if self.distance is None else self.distance.text
        told = f"{other} of {len(self.outputs)} outputs have other bytes; {apart}."
        if self.verdict == "apart":
            return f"{self.title} is not what was built now: {told}"
        if self.excused:
            return f"{self.title} is built again within the tolerance of {TOLERANCE:g}: {told}"
        return (
            f"{self.title} is built again within the tolerance of {TOLERANCE:g}, but in the same circumstances the "
            f"same bytes were expected: {told}"
        )


def reproduce(root: Path, name: str, say: Callable[[str], None], keep: Path | None = None) -> Reproduction:
    """Build a version again in an isolated clone, stage by stage, and compare.

    The user's workspace is only read, of DVC's cache too; what is built goes into no cache.

    Args:
        root: the project's root.
        name: `digits/3`, `digits@champion`.
        say: takes a line for each thing that is done.
        keep: a folder for the clone that stays; a temporary one by default.

    Raises:
        TransientError: MLflow does not answer.
        PodiumError: there is no such version, or its code or its data are not to be had, or a stage failed.
    """
    with _folder(keep) as place, reaching(root, name) as client:
        subject = find_subject(client, name)
        kept = fetch_lineage(client, subject, place / "lineage")
        for needed in (LOCK.name, PARAMS.name):
            if needed not in kept:
                raise PodiumError(f"The run of {subject.title} keeps no {needed}: it cannot be built again from it.")
        reports = download_files(client, subject.run.info.run_id, [f"{REPORTS}/{PREDICTIONS}"], place / "reports")
        source = read_source(subject, kept)
        if not source.commit:
            raise PodiumError(
                f"{subject.title} was made in no git repository: from which code is not known, and nothing can be "
                "built from it. `podium verify` says what can be checked."
            )
        say(f"clone {source.commit[:10]} into {place / 'clone'}")
        clone = clone_at(root, source.commit, place / "clone", _files(kept))
        link_named_files(root, clone, place)
        outputs = read_outputs(kept[LOCK.name])
        excuses, changed = _notes(source, kept, clone, subject)
        for note in [*excuses, *changed]:
            say(f"note: {note}")
        with no_stage_outlives():
            names = list(_rebuild(root, clone, subject, outputs, say))
        rebuilt = read_outputs(clone / LOCK)
        paths = CandidatePaths(subject.candidate, subject.dataset)
        compared = compare_outputs(outputs, {stage: rebuilt.get(stage, {}) for stage in names}, paths)
        distance = _measure(reports.get(f"{REPORTS}/{PREDICTIONS}"), clone / paths.reports / PREDICTIONS, say)
        return Reproduction(subject.title, (*excuses, *changed), tuple(compared), distance, bool(excuses))


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise PodiumError(f"{keep} is there already, and not empty. Name a folder that podium can make.")
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with scratch_folder(Path(tempfile.gettempdir()).resolve(), "podium-reproduce-") as place:
        yield place


def _files(kept: Mapping[str, Path]) -> dict[Path, Path]:
    """Give the files of a run that go into the clone in place of the commit's, by their places."""
    return {place: kept[place.name] for place in (LOCK, PARAMS, REVIEW, ADDITIONS) if place.name in kept}


def _notes(source: Source, kept: Mapping[str, Path], clone: Path, subject: Subject) -> tuple[list[str], list[str]]:
    """Say what is not as it was: first what may change a result, then what a stage would have told by itself."""
    names = [stage.name for stage in select(load_stages(clone), [subject.candidate])]
    code = find_changed_code(clone, names)
    listed = ", ".join(path.as_posix() for path in code)
    excuses = [
        describe_changed_machine(kept),
        describe_changed_packages(kept),
        f"The commit's code is not what ran: {listed} differ." if code else "",
    ]
    return [*filter(None, excuses)], [*filter(None, [describe_edited(source)])]


def _rebuild(
    root: Path,
    clone: Path,
    subject: Subject,
    outputs: Mapping[str, Mapping[Path, Output]],
    say: Callable[[str], None],
) -> Iterator[str]:
    """Run every stage again but the download; give their names."""
    stages = select(load_stages(clone), [subject.candidate])
    restore_accepted(root, clone, subject.dataset)
    for number, stage in enumerate(stages, start=1):
        step = f"{number} of {len(stages)}: {stage.title}"
        if stage.kind != "download":
            say(step)
            run_stage(clone, stage.name, say, afresh=True)
            yield stage.name
        elif bring_raw(root, clone, stage.entry):
            say(f"{step}: from DVC's cache, with the digest in the lock")
        else:
            say(f"{step}: neither DVC's cache nor a remote has it")
            run_stage(clone, stage.name, say, afresh=True)
            raw = DatasetPaths(stage.entry).raw
            then, now = (locked.get(stage.name, {}).get(raw) for locked in (outputs, read_outputs(clone / LOCK)))
            if then != now:
                raise PodiumError(
                    f"What arrived for {stage.entry} is not what {subject.title} was made from: {raw} has another "
                    "digest than its dvc.lock. Bring the old archive back: `dvc pull`, where a remote has it."
                )


def _measure(kept: Path | None, new: Path, say: Callable[[str], None]) -> Distance | None:
    if kept is None or not new.is_file():
        return None
    try:
        return measure_distance(load_predictions(kept), load_predictions(new))
    except PodiumError as error:
        say(f"note: the predictions cannot be compared: {error}")
        return None
