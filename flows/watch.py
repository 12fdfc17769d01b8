"""Watching what is served: requests beside the images that the champion was accepted on.

It is for the clock (prefect.yaml); `podium watch NAME` does the same by hand. A reason to retrain is found by
`flows.reasons.served`, not here: this flow looks and tells.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas import State
from prefect.events import emit_event
from prefect.states import Completed, Failed

from podium.config import load_params
from podium.errors import PodiumError
from podium.paths import PARAMS, project_root
from podium.serving.watch.looking import look


@flow(name="watch")
def watch(targets: list[str] | None = None, days: int | None = 30) -> State[Any]:
    """Compare what was asked of each champion with what it was accepted on, and write a report for each dataset.

    Nothing is trained. Requests are noted only where somebody switched that on: `podium serve --log`, or
    PODIUM_REQUEST_LOG for `mlflow models serve`.

    Args:
        targets: Names of datasets; none: all of params.yaml.
        days: Leave out what was asked more days ago than this; none: nothing is left out.
    """
    root, logger = project_root(), get_run_logger()
    since = None if days is None else datetime.now(UTC) - timedelta(days=days)
    told, faults = [], []
    try:
        params = load_params(root / PARAMS)
        names = list(dict.fromkeys(targets or params.datasets))
        datasets = {name: params.dataset(name) for name in names}
    except PodiumError as error:
        return Failed(message=str(error))
    for name, dataset in datasets.items():
        try:
            looked = look(root, name, dataset, since=since)
        except PodiumError as error:
            faults.append(f"{name}: {error}")
            continue
        create_markdown_artifact(looked.text, key=f"{name}-watch", description=f"{name}: what is asked of its champion")
        verdict = looked.watched.verdict.replace(" ", "-")
        emit_event(
            event=f"podium.watched.{verdict}",
            resource={"prefect.resource.id": f"podium.champion.{name}", "prefect.resource.name": name},
            payload={"dataset": name, "text": looked.watched.text},
        )
        told.append(f"{looked.watched.text} Look at {looked.page}.")
        logger.info(told[-1])
    return Failed(message="\n".join([*told, *faults])) if faults else Completed(message="\n".join(told))
