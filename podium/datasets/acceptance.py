"""Accepting: a dataset as it is, its limits and its version; and images that people add to it, with their labels.

All of it is written down for people to review in git: on the page, and in `data/additions.csv`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from filelock import FileLock

from podium.config import load_params
from podium.config.limits import Limits
from podium.config.writing import edited, to_node
from podium.datasets.additions import load_additions
from podium.datasets.masks import count_classes, is_added, is_labelled
from podium.datasets.splits import is_sticky
from podium.datasets.validation.limits import infer_validation
from podium.datasets.validation.manifest import load_manifest, save_manifest
from podium.datasets.validation.places import add_gone, read_accepted
from podium.datasets.validation.summary import read_summary
from podium.errors import PodiumError
from podium.files import atomic_write, file_digest
from podium.paths import ADDITIONS, ADDITIONS_COLUMNS, PARAMS, DatasetPaths
from podium.processes import guard_children


def choose_dataset(name: str | None) -> str:
    """Give the dataset that is meant: the page's only one, if none is named.

    Raises:
        PodiumError: there is no such dataset, or none is named and there are several.
    """
    params = load_params()
    if name is None:
        if len(params.datasets) != 1:
            raise PodiumError(f"{PARAMS} has {len(params.datasets)} datasets. Name one: {', '.join(params.datasets)}.")
        return next(iter(params.datasets))
    params.dataset(name)
    return name


def validate(name: str) -> None:
    """Bring the validation of a dataset up to date, what it needs included, as `dvc repro` does.

    Raises:
        PodiumError: it failed; DVC and the stage have said why.
    """
    _dvc("repro", f"validate@{name}")


def infer_limits(name: str) -> list[str]:
    """Write the limits that a validated dataset keeps on the page, in place of those that are there.

    Returns:
        What was written, a line for each limit.
    """
    dataset, paths = load_params().dataset(name), DatasetPaths(name)
    manifest = load_manifest(paths.manifest)
    labelled = manifest[is_labelled(manifest)]
    archive = labelled[~is_added(labelled)]
    counts = count_classes(archive["label"], archive["part"], dataset.classes)
    leaks = pd.read_csv(paths.validation / "leaks.csv")
    left = None if dataset.source.kind == "sklearn" else read_summary(paths.validation).get("left_aside")
    inferred = infer_validation(labelled, counts, leaking=bool(leaks["exact"].any()), left_aside=left)
    limits = {"critical": inferred.critical, "warning": inferred.warning}
    _write(name, {level: to_node(each) for level, each in limits.items()})
    return [line for level, each in limits.items() for line in _lines(level, each)]


def accept(name: str) -> Path:
    """Keep the manifest of a validated dataset as the accepted version: DVC keeps the file, the page its digest.

    For a sticky split it also keeps the places of images that earlier accepted versions had.

    Returns:
        The file for git that says what DVC keeps.

    Raises:
        PodiumError: the dataset is not validated, or the places of earlier versions are needed and not here.
    """
    paths = DatasetPaths(name)
    load_manifest(paths.manifest, ["id"])
    whole = _with_places(name, paths)
    with atomic_write(paths.accepted) as file:
        if whole is None:
            shutil.copyfile(paths.manifest, file)
        else:
            save_manifest(whole, file)
    _dvc("add", str(paths.accepted), stdout=subprocess.DEVNULL)  # `--quiet` would hide what went wrong, too
    _write(name, {"accepted": file_digest(paths.accepted)})
    return paths.accepted.with_name(f"{paths.accepted.name}.dvc")


def accept_images(name: str, images: Sequence[tuple[str, Path]]) -> Path:
    """Make images a part of a dataset: a line each in the table of accepted labels, and the files with DVC.

    The line comes last. Whatever ends this before, the dataset is as it was, and the same call does it all again.

    Args:
        name: the dataset's.
        images: the label of each, and its file, which is named by its sha256.

    Returns:
        The file for git that says what DVC keeps.

    Raises:
        PodiumError: the dataset cannot have such images, or the table cannot be read.
    """
    dataset, paths = load_params().dataset(name), DatasetPaths(name)
    if dataset.target == "label_and_box":
        raise PodiumError(
            f"{name} has boxes (datasets.{name}.target), and the app asks for labels alone: these images cannot train. "
            f"Refuse them (`podium feedback {name} --refuse`), or put them with their boxes into the archive, if that "
            "is your own."
        )
    load_additions(ADDITIONS, name)
    paths.additions.mkdir(parents=True, exist_ok=True)
    for _, file in images:
        with atomic_write(paths.additions / file.name) as part:
            shutil.copyfile(file, part)
    _dvc("add", str(paths.additions), stdout=subprocess.DEVNULL)
    with FileLock(ADDITIONS.with_name(f".{ADDITIONS.name}.lock")), atomic_write(ADDITIONS) as part:
        table = pd.read_csv(ADDITIONS, dtype="str", keep_default_na=False)
        rows = [(name, label, file.stem, file.name) for label, file in images]
        new = pd.DataFrame(rows, columns=ADDITIONS_COLUMNS, dtype="str")
        old = table[~((table["dataset"] == name) & table["sha256"].isin(new["sha256"]))]
        pd.concat([old, new]).to_csv(part, index=False, lineterminator="\n")
    return paths.additions.with_name(f"{name}.dvc")


def _with_places(name: str, paths: DatasetPaths) -> pd.DataFrame | None:
    """Give the manifest with the places of images that are gone; None if there are none to add."""
    dataset = load_params().dataset(name)
    digest = dataset.validation.accepted
    if digest is None or not is_sticky(dataset.split):
        return None
    if not paths.accepted.is_file() or file_digest(paths.accepted) != digest:
        raise PodiumError(
            f"{paths.accepted} is not the accepted version that {PARAMS} names, and a sticky split keeps the places "
            f"that its images had. Restore it: `dvc checkout {paths.accepted}.dvc`; or take datasets.{name}.validation."
            f"accepted out of {PARAMS}, and accept the version that is here: `podium validate {name} --accept`."
        )
    manifest = load_manifest(paths.manifest)
    whole = add_gone(manifest, read_accepted(paths.accepted))
    return None if whole is manifest else whole


def _write(name: str, values: dict[str, object]) -> None:
    """Put values into a dataset's validation on the page, once the page is known to be valid with them."""

    def change(params: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
        params["datasets"][name]["validation"].update(values)

    with atomic_write(PARAMS) as file:
        file.write_bytes(edited(PARAMS, change))
        load_params(file)


def _lines(level: str, limits: Limits) -> list[str]:
    return [f"{level}: {key} {value}" for key, value in vars(limits).items() if value is not None]


def _dvc(*arguments: str, stdout: int | None = None) -> None:
    """Run a command of DVC, whose output is the user's, or goes to `stdout`."""
    guard_children()
    folder = str(Path(sys.executable).parent)  # the stages' `python` is the one that runs now
    environment = os.environ | {"PATH": os.pathsep.join([folder, os.environ.get("PATH", "")])}
    command = [sys.executable, "-m", "dvc", *arguments]
    if subprocess.run(command, env=environment, stdout=stdout, check=False).returncode:
        raise PodiumError(f"`dvc {' '.join(arguments)}` failed; what it said is above.")
