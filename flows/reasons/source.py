"""The source of a dataset has something else than what arrived."""

from flows.reasons.reason import Circumstances, Reason
from podium.datasets.provenance import read_provenance
from podium.datasets.sources import look
from podium.paths import LOCK, DatasetPaths
from podium.workspace.clone import check_out
from podium.workspace.lock import read_outputs


def find(circumstances: Circumstances) -> list[Reason]:
    """Ask the source of each dataset that has arrived already; the others are downloaded by any run."""
    here = circumstances
    arrived = read_outputs(here.clone / LOCK) if (here.clone / LOCK).is_file() else {}
    found = []
    for name in here.datasets:
        if f"download@{name}" not in arrived:
            continue
        paths = DatasetPaths(name)
        check_out(here.clone, paths.lock)
        known = read_provenance(here.clone / paths.lock)
        if news := look(here.params.dataset(name).source, known, here.project, here.project / paths.downloads):
            found.append(Reason("source", f"New data for {name}: {news}", (name,)))
    return found
