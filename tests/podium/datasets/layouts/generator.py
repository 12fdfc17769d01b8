"""Archives of random layouts whose truth is known, for a test that `podium init` is never silently wrong."""

import random
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.podium.datasets.layouts.content import Content, Truth
from tests.podium.datasets.layouts.folders import add_folders
from tests.podium.datasets.layouts.names import add_names
from tests.podium.datasets.layouts.noise import add_noise, add_odd_images
from tests.podium.datasets.layouts.tables import add_tables

KINDS = {"folders": add_folders, "names": add_names, "tables": add_tables}
WEIGHTS = (5, 1, 4)


@dataclass(frozen=True)
class Layout:
    """An archive, and what is true of it.

    Attributes:
        archive: the zip.
        seed: what it was made from.
        kind: what its labels are in.
        traits: what was chosen, for people.
        truths: of each image file's sha256, its label and its part, None where any is right; the likeliest first. A
            layout that people read in several ways has one for each.
        paths: the path of each image file in the archive.
    """

    archive: Path
    seed: int
    kind: str
    traits: tuple[str, ...]
    truths: tuple[Truth, ...]
    paths: dict[str, str]

    @property
    def truth(self) -> Truth:
        """The likeliest truth."""
        return self.truths[0]

    def __str__(self) -> str:
        return f"seed {self.seed}: {self.kind}; {'; '.join(self.traits)}"


def make_layout(seed: int, folder: Path) -> Layout:
    """Write an archive of a random layout into a folder. The same seed gives the same bytes and the same truth."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    content = Content(draw)
    kind = draw.choices([*KINDS], WEIGHTS)[0]
    KINDS[kind](content)
    if kind != "tables":  # which name files that must not be renamed
        add_odd_images(content)
    add_noise(content)
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"layout-{seed}.zip"
    content.write(archive)
    return Layout(archive, seed, kind, tuple(content.traits), tuple(content.truths()), content.paths)


def judge(layout: Layout, outcome: pd.DataFrame | str, notes: list[str]) -> str:
    """Judge what was made of a layout.

    Args:
        layout: what was read.
        outcome: the manifest, or the message of a refusal.
        notes: every note and problem that was said.

    Returns:
        read      every image has its true label and part, and no other file became an image
        refused   a message says that it is not read
        told      something differs, and something was said: a person must look whether it says this
        SILENT    something differs, and not a word about it
    """
    if isinstance(outcome, str):
        return "refused" if outcome.strip() else "SILENT"
    if not differences(layout, outcome):
        return "read"
    return "told" if any(note.strip() for note in notes) else "SILENT"


def differences(layout: Layout, manifest: pd.DataFrame) -> list[str]:
    """Say what is wrong in a manifest, by the truth that it is nearest to."""
    return min((_compare(truth, layout.paths, manifest) for truth in layout.truths), key=len)


def _compare(truth: Truth, paths: dict[str, str], manifest: pd.DataFrame) -> list[str]:
    wrong, there, faulty = [], list[str](), set[str]()
    columns = (manifest[name].tolist() for name in ("id", "sha256", "label", "part", "fault"))
    for name, sha, label, part, fault in zip(*columns, strict=True):
        if not pd.isna(fault):
            faulty.add(str(name))  # that it cannot be used stands in the validation report
        elif sha not in truth:
            wrong.append(f"{name}: no image of the dataset, label {label!r}")
        else:
            there.append(sha)
            right, where = truth[sha]
            if right is not None and str(label) != right:
                wrong.append(f"{name}: label {label!r}, truth {right!r}")
            elif where is not None and (part or "train") != where:
                wrong.append(f"{name}: part {part!r}, truth {where!r}")
    wrong += [
        f"{paths[sha]}: read {there.count(sha)} times" for sha in sorted({s for s in there if there.count(s) > 1})
    ]
    lost = [sha for sha in truth if sha not in set(there) and paths[sha] not in faulty]
    return wrong + [f"{paths[sha]}: left out, a {truth[sha][0]!r} of {truth[sha][1]!r}" for sha in lost]
