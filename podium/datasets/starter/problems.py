"""Why a pipeline will stop at a dataset, and what to do: said when the page is made, not an hour later."""

import pandas as pd

from podium.datasets.masks import has_label, is_readable

MAX_IMAGES_NAMED = 5
"""Images that are named."""

_MEND = "Take them out or mend them: unpack the archive, and `podium init FOLDER`."


def find_problems(manifest: pd.DataFrame, counts: pd.DataFrame, split: str) -> list[str]:
    """Find what `dvc repro` will stop at.

    Args:
        manifest: one row an image.
        counts: images of each class (rows) in each part (columns).
        split: why the images cannot be split; empty if they can.

    Returns:
        A few lines for each kind of problem.
    """
    problems = []
    faulty = manifest[~is_readable(manifest)]
    if len(faulty):
        lines = [f"{row.id}: {row.fault}" for row in faulty.head(MAX_IMAGES_NAMED).itertuples()]
        problems.append(_listed(f"{len(faulty):,} images cannot be used", lines, len(faulty), _MEND))
    readable = manifest[is_readable(manifest)]
    bare = readable[(readable["label"] == "") & has_label(readable)]
    if len(bare):
        problems.append(
            _listed(f"{len(bare):,} images have an empty label", [*bare["id"][:MAX_IMAGES_NAMED]], len(bare), _MEND)
        )
    twice = manifest.loc[manifest["id"].duplicated(), "id"]
    if len(twice):
        what = f"{len(twice):,} images are named more than once"
        problems.append(_listed(what, [*twice[:MAX_IMAGES_NAMED]], len(twice), "Expected one row an image. " + _MEND))
    lacking = [f"{part} has none of '{label}'" for label, row in counts.iterrows() for part in row.index[row == 0]]
    if lacking:
        advice = "Take the part out of format, or the class out of the archive: unpack it, and `podium init FOLDER`."
        problems.append(_listed("Not every part has every class", lacking[:MAX_IMAGES_NAMED], len(lacking), advice))
    if split:
        problems.append(f"{split} The smallest class has {counts.sum(axis=1).min():,} images in all.")
    return problems


def _listed(what: str, lines: list[str], count: int, advice: str) -> str:
    more = ["…"] if count > len(lines) else []
    return "\n".join([f"{what}, at which validation will stop:", *(f"  {line}" for line in lines + more), advice])
