"""People accepted labels that no version was trained with yet."""

from flows.errors import naming_the_library
from flows.reasons.reason import Circumstances, Reason
from podium.datasets.additions import load_additions
from podium.paths import ADDITIONS
from podium.tracking import Ledger
from podium.tracking.trained import find_newest_images


def find(circumstances: Circumstances) -> list[Reason]:
    """Look which accepted labels of the commit the newest version of each dataset did not have.

    The newest one, though it may not have become champion: to train again on the same images would change nothing.
    """
    here = circumstances
    found = []
    for name in here.datasets:
        added = load_additions(here.clone / ADDITIONS, name)
        if added.empty:
            continue
        with naming_the_library(here.project):
            title, known = find_newest_images(Ledger(here.clone, here.params).client, name)
        count = int((~added["sha256"].isin(known)).sum())
        if title and count:
            labels = f"{count:,} accepted label{'s' * (count != 1)}"
            found.append(Reason("labels", f"{title}, the newest version, was trained without {labels} of {ADDITIONS}."))
    return found
