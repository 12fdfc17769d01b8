"""The Prefect server that the environment names, if it names one."""

from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL

from podium.errors import PodiumError


def find_server() -> str | None:
    """Give the address of the Prefect server that is configured; None if none is.

    Raises:
        PodiumError: one is configured, and does not answer.
    """
    address: str | None = PREFECT_API_URL.value()
    if address:
        with get_client(sync_client=True) as client:
            error = client.api_healthcheck()
        if error is not None:
            raise PodiumError(
                f"No Prefect server answers at {address} ({error}). Start one with `prefect server start`, or run "
                "without: `unset PREFECT_API_URL`."
            )
    return address
