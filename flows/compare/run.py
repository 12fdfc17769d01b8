"""`podium sweep`: the flow `compare` in this process, and what a person sees of it."""

import importlib.util
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from flows import naming_settings
from flows.command import answer, quieten, showing, stopped_by_interrupt
from flows.compare.plan import make_plan, require_code
from podium.errors import PodiumError
from podium.models.runtime import require_backend
from podium.paths import project_root
from podium.workspace.exchange import require_remote

if TYPE_CHECKING:
    from prefect.client.schemas import State

PACKAGES = ("distributed", "prefect_dask")


def main(
    candidates: Sequence[str],
    grid: Sequence[str],
    seeds: int = 1,
    workers: int | None = None,
    scheduler: str | None = None,
    remote: str | None = None,
) -> int:
    """Run the sweep once; return the exit status. The arguments are those of `flows.compare.flow.compare`."""
    return answer(lambda: _run(candidates, grid, seeds, workers, scheduler, remote))


def _run(
    candidates: Sequence[str],
    grid: Sequence[str],
    seeds: int,
    workers: int | None,
    scheduler: str | None,
    remote: str | None,
) -> "State[Any]":
    root = project_root()
    require_dask()
    make_plan(root, candidates, grid, min(seeds, 2))  # mistakes are said at once, before a server starts
    require_code(root)
    if remote:
        require_remote(root, remote)
    require_backend()
    with showing(sys.stdout) as display:
        with display.work("Prefect"):
            with naming_settings():  # Prefect and Dask: two seconds to import
                from flows.compare.flow import compare
                from flows.errors import naming_the_library
                from flows.server import find_server, require_server

            quieten(display)
        with naming_the_library(root), stopped_by_interrupt(display, is_temporary=find_server() is None):
            require_server()
            state = compare(
                [*candidates] or None, [*grid] or None, seeds, workers, scheduler, remote, return_state=True
            )
    return state


def require_dask() -> None:
    """Check that Dask is installed, which only this needs.

    Raises:
        PodiumError: it is not.
    """
    lacking = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if lacking:
        raise PodiumError(
            f"A sweep needs Dask, and {' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed: "
            "`pip install 'podium[dask]'`, or `make` in a clone."
        )
