"""Whether the files of a version are those that its `dvc.lock` names: data, reports, model."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlflow import MlflowClient

from podium.errors import PodiumError
from podium.files import file_digest
from podium.paths import LOCK, CandidatePaths, DatasetPaths
from podium.registry.measures import MODEL_DIGEST
from podium.registry.proof.check import Check
from podium.registry.proof.circumstances import read_json
from podium.registry.proof.subject import Subject, digest_files
from podium.tracking.published import REPORTS, download_files
from podium.workspace.clone import find_cache
from podium.workspace.lock import Output, agrees, agrees_in_cache, file_md5, read_outputs

MODEL, DIGESTS = "artifacts/model.keras", "artifacts/digests.json"
"""In the folder of a logged model."""


def check_data(root: Path, subject: Subject, lineage: Mapping[str, Path]) -> Iterator[Check]:
    """Look for the data in the workspace and in DVC's cache, and read it."""
    outputs = read_all(lineage)
    data = DatasetPaths(subject.dataset)
    places = (data.raw, data.lock, data.manifest, data.processed)
    cache = find_cache(root)
    for path in places:
        if path not in outputs:
            yield Check(path.as_posix(), False, f"the {LOCK} that the run keeps does not name it")
        elif agrees(outputs[path], root / path):
            yield Check(path.as_posix(), True, f"in the workspace, md5 {outputs[path].md5[:10]}")
        else:
            found = None if cache is None else agrees_in_cache(outputs[path], cache)
            told = {
                None: f"neither workspace nor DVC's cache has md5 {outputs[path].md5[:10]}; `dvc pull` may bring it",
                True: f"in DVC's cache, md5 {outputs[path].md5[:10]}",
                False: f"DVC's cache has other bytes under md5 {outputs[path].md5[:10]}",
            }
            yield Check(path.as_posix(), found, told[found])


def check_reports(client: MlflowClient, subject: Subject, lineage: Mapping[str, Path], folder: Path) -> Iterator[Check]:
    """Download the reports that the run keeps, and hold them against the lock."""
    outputs = read_all(lineage)
    paths = {
        REPORTS: CandidatePaths(subject.candidate, subject.dataset).reports,
        "validation": DatasetPaths(subject.dataset).validation,
    }
    for kept, place in paths.items():
        wanted = {f"{kept}/{path.name}": output for path, output in outputs.items() if path.parent == place}
        found = download_files(client, subject.run.info.run_id, [*wanted], folder / kept) if wanted else {}
        faults = {
            "other bytes": [path for path, file in found.items() if file_md5(file) != wanted[path].md5],
            "not there": [] if kept == "validation" else [*(wanted.keys() - found)],  # a run keeps a few of those
        }
        told = _tell(faults)
        yield Check(kept, bool(found) and not told, told or f"{len(found)} files, as in {LOCK}")


def check_model(subject: Subject, lineage: Mapping[str, Path], model: Path) -> Iterator[Check]:
    """Hold the logged model's files against the lock, against the digests beside them, and the version's tag."""
    weights = model / MODEL
    if not weights.is_file():
        yield Check("model", False, f"the logged model has no {MODEL}: it is of an older podium, or not complete")
        return
    trained = CandidatePaths(subject.candidate, subject.dataset).model
    output = read_all(lineage).get(trained)
    if output is None:
        yield Check("model", False, f"the {LOCK} that the run keeps does not name {trained}")
    else:
        same, md5 = agrees(output, weights), output.md5[:10]
        yield Check("model", same, f"md5 {md5}, as trained" if same else f"not the bytes of md5 {md5}")
    known, found = read_json(model / DIGESTS) if (model / DIGESTS).is_file() else {}, digest_files(model)
    faults = {
        "changed": [name for name, digest in known.items() if found.get(name) != digest],
        "not named": [*(found.keys() - known - {DIGESTS, "MLmodel"})],
    }
    if not known:
        yield Check("digests", False, f"the logged model has no {DIGESTS}")
    else:
        told = _tell(faults)
        yield Check("digests", not told, told or f"{len(known)} files, as in {DIGESTS}")
    tag = subject.version.tags.get(MODEL_DIGEST)
    if tag is not None:
        yield Check("tag", tag == file_digest(weights), f"{MODEL_DIGEST} {tag[:10]}")


def _tell(faults: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{what}: {', '.join(sorted(names))}" for what, names in faults.items() if names)


def read_all(lineage: Mapping[str, Path]) -> dict[Path, Output]:
    """Read all outputs that the lock of a run's lineage names, by path.

    Raises:
        PodiumError: the run keeps no lock, or it cannot be read.
    """
    if LOCK.name not in lineage:
        raise PodiumError(f"The run keeps no {LOCK}")
    return {path: output for some in read_outputs(lineage[LOCK.name]).values() for path, output in some.items()}
