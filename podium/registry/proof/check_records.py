"""Whether the records of a version hold together: commit, lock, tags, decision, journal."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlflow import MlflowClient

from podium.config import Params, load_params
from podium.errors import PodiumError
from podium.files import file_digest
from podium.git import ask_git, is_shallow
from podium.paths import LOCK, PARAMS
from podium.registry.copying import COPIED_FROM
from podium.registry.gate import recompute
from podium.registry.kept import DECISION, PAIRS, load_kept
from podium.registry.proof.check import Check
from podium.registry.proof.circumstances import describe_edited, read_source
from podium.registry.proof.subject import Subject
from podium.registry.registry import Registry, aliases_after
from podium.tracking.lineage import Lineage, read_lineage
from podium.tracking.names import CARD, DECIDED, WITHDRAWN
from podium.tracking.published import download_files
from podium.workspace.clone import has_commit
from podium.workspace.lock import read_outputs

_OF_VERSIONS = ("podium.data", "podium.splits", "podium.training_key", "podium.candidate")
"""Tags that a version has from its run."""


def check_code(root: Path, subject: Subject, lineage: Mapping[str, Path]) -> Iterator[Check]:
    """Look for the commit, and for page and lock in the repository."""
    source = read_source(subject, lineage)
    if not source.commit:
        yield Check("commit", None, "it was made in no git repository")
        return
    short = source.commit[:10]
    if ask_git(root, "rev-parse", "--git-dir") is None:
        yield Check("commit", None, f"{short}: this project is in no git repository")
        return
    if not has_commit(root, source.commit):
        bring = "git fetch --unshallow origin" if is_shallow(root) else "git fetch --all"
        yield Check("commit", None, f"{short} is not in this clone; `{bring}` may bring it")
        return
    edited = describe_edited(source)
    yield Check("commit", None if edited else True, f"{short}: {edited.rstrip('.')}" if edited else f"{short} is here")
    for path in (PARAMS, LOCK):
        if path.name in lineage:
            yield _check_committed(root, path, lineage[path.name])


def _check_committed(root: Path, path: Path, kept: Path) -> Check:
    """Say in which commit a file is as the run keeps it."""
    blob = (ask_git(root, "hash-object", "--", str(kept)) or b"").decode().strip()
    found = ask_git(root, "log", "--all", "--max-count=1", "--format=%h", f"--find-object={blob}", "--", str(path))
    if found:
        return Check(path.name, True, f"as the run keeps it in the commit {found.decode().strip()}")
    return Check(path.name, None, "in no commit as the run keeps it: it was not committed")


def check_lock(subject: Subject, lineage: Mapping[str, Path]) -> Iterator[Check]:
    """Compute the digests that name the result from lock and page again, and hold them against run and version."""
    if not {LOCK.name, PARAMS.name} <= lineage.keys():
        yield Check("digests of the run", None, f"the run keeps no {LOCK} and {PARAMS}")
        return
    tags = subject.run.data.tags
    try:
        params = load_params(lineage[PARAMS.name])
    except PodiumError as error:
        yield Check("digests of the run", None, f"this podium does not read the page of then: {error}".rstrip("."))
    else:
        known = _read_again(lineage[LOCK.name], params, subject.candidate)
        digests = {"training_key": known.training_key, "evaluation": known.evaluation, "data": known.data}
        wrong = [name for name, digest in digests.items() if tags.get(f"podium.{name}") != digest]
        text = f"{LOCK} gives others: {', '.join(wrong)}" if wrong else f"as {LOCK} gives them"
        yield Check("digests of the run", not wrong, text)
    if "split.csv" in lineage:
        same = tags.get("podium.splits") == file_digest(lineage["split.csv"])
        yield Check("splits", same, "as the run names them" if same else "the list of images is not that of the run")
    others = [tag for tag in _OF_VERSIONS if subject.version.tags.get(tag, tags.get(tag)) != tags.get(tag)]
    yield Check("tags of the version", not others, f"not the run's: {', '.join(others)}" if others else "as its run's")


def _read_again(lock: Path, params: Params, candidate: str) -> Lineage:
    read_outputs(lock)  # says what is wrong with a lock that no DVC wrote
    try:
        return read_lineage(lock.parent, params, candidate)
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise PodiumError(f"The {LOCK} that the run keeps lacks what podium looks for: {error!r}") from error


def check_decision(client: MlflowClient, subject: Subject, folder: Path) -> Iterator[Check]:
    """Decide again from what the decision keeps."""
    card = subject.version.tags.get(CARD)
    if card is None:
        yield Check("decision", None, "none is kept: it was registered without the gate")
        return
    found = download_files(client, subject.run.info.run_id, [f"{card}/{DECISION}", f"{card}/{PAIRS}"], folder)
    if f"{card}/{DECISION}" not in found:
        yield Check("decision", False, f"{card}/{DECISION} is gone")
        return
    kept, again = load_kept(folder), recompute(folder)
    told = f"{kept.decision.verdict}, {card}"
    if kept.decision != again:
        yield Check("decision", False, f"{told}: decided again it is '{again.verdict}': {again.reason}".rstrip("."))
    elif subject.version.tags.get(DECIDED, kept.decision.verdict) != kept.decision.verdict:
        yield Check("decision", False, f"{told}, but the version says {subject.version.tags[DECIDED]}")
    elif kept.challenger_run != subject.run.info.run_id and COPIED_FROM not in subject.version.tags:
        yield Check("decision", False, f"{told} is about another run, {kept.challenger_run}")
    else:
        yield Check("decision", True, f"{told}: decided again, it is the same")


def check_journal(client: MlflowClient, subject: Subject) -> Iterator[Check]:
    """Hold the aliases against the journal, without carrying anything out."""
    registry = Registry(client, subject.dataset)
    entries, aliases = registry.journal.read(), registry.aliases()
    number = str(subject.version.version)
    mine = [alias for alias, version in aliases.items() if version == number]
    told = f"it is {' and '.join(mine)}" if mine else "it has no alias"
    if not entries:
        yield Check("journal", None, f"{told}, and there is no journal")
    elif not all(one.done for one in entries):
        yield Check("journal", None, f"{told}; an entry is not carried out yet: the next promotion or run does it")
    else:
        after = aliases_after(entries[-1].entry)
        moved = [alias for alias in mine if after[alias] != number]
        moved += [alias for alias, version in after.items() if version == number != aliases[alias]]
        if moved:
            text = f"{told}, but the journal has it otherwise: {', '.join(moved)} was moved by hand"
            yield Check("journal", False, text)
        else:
            yield Check("journal", True, f"{told}, as entry {entries[-1].number} of the journal has it")


def check_withdrawn(client: MlflowClient, subject: Subject) -> Check:
    """Say whether the version was recalled: by its tag, or by the journal."""
    number = str(subject.version.version)
    recalls = [
        one.entry.why
        for one in Registry(client, subject.dataset).journal.read()
        if one.entry.action == "recall" and one.entry.version == number
    ]
    why = subject.version.tags.get(WITHDRAWN) or (recalls[-1] if recalls else None)
    return Check("recalled", why is None, "no" if why is None else f"yes: {why}")
