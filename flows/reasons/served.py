"""What is asked of a champion is no longer what it was accepted on."""

from flows.errors import naming_the_library
from flows.reasons.reason import Circumstances, Reason
from podium.paths import DatasetPaths
from podium.serving.watch.looking import compare, find_log
from podium.serving.watch.requests import read_requests
from podium.workspace.clone import check_out


def find(circumstances: Circumstances) -> list[Reason]:
    """Compare the requests since the last retraining with what each champion was accepted on.

    Those from before are no news: they had their retraining. Where nobody notes requests there is no reason.
    """
    here = circumstances
    folder = find_log(here.project)
    if not any(folder.glob("*.jsonl")):
        return []
    requests = read_requests(folder, here.retrained)
    asked = {model.partition("/")[0] for model in requests.table["model"]}
    found = []
    for name in here.datasets:
        if name not in asked and "models:" not in asked:
            continue
        paths = DatasetPaths(name)
        check_out(here.clone, paths.processed, paths.manifest)
        with naming_the_library(here.project):
            watched = compare(here.project, name, here.params.dataset(name), requests, here.clone)
        if watched.verdict == "moved":
            found.append(Reason("served", watched.text))
    return found
