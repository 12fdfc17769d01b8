"""The Prefect server: the one that is configured, or else a temporary one, as long as this process lives."""

import os

from prefect.client.orchestration import get_client
from prefect.context import get_settings_context
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_SERVER_EPHEMERAL_ENABLED,
    PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS,
    get_current_settings,
)

from podium.errors import PodiumError
from podium.processes import guard_children

_USE_ANOTHER = (
    "run `prefect server start` in another terminal and, here, `export PREFECT_API_URL=http://127.0.0.1:4200/api`"
)
STARTUP_SECONDS = 120
"""That a temporary server has to answer. The first one makes its database; Prefect's own limit may be too short."""


def find_server() -> str | None:
    """Give the address of the Prefect server that is configured; None if none is.

    Raises:
        PodiumError: one is configured, and does not answer.
    """
    address: str | None = PREFECT_API_URL.value()
    if address and (error := _ask_for_health()):
        place, undo = describe_origin("PREFECT_API_URL")
        raise PodiumError(
            f"No Prefect server answers at {address} ({error}). The address comes from {place}. Start the server with "
            f"`prefect server start`, or run without it: {undo}."
        )
    return address


def require_server() -> str | None:
    """Make sure that a Prefect server answers; start a temporary one if none is configured.

    Returns:
        The configured server's address; None for a temporary one.

    Raises:
        PodiumError: there is none, and none can be started.
    """
    if address := find_server():
        return address
    if not PREFECT_SERVER_EPHEMERAL_ENABLED.value():
        place, undo = describe_origin("PREFECT_SERVER_EPHEMERAL_ENABLED", "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE")
        raise PodiumError(
            "No Prefect server is configured, and Prefect may not start a temporary one: "
            f"PREFECT_SERVER_EPHEMERAL_ENABLED is false, by {place}. Allow it: {undo}. Or {_USE_ANOTHER}."
        )
    guard_children()  # Prefect does not do it for its temporary server
    home = get_current_settings().home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PodiumError(
            f"Prefect keeps its history in {home}, which is no folder that can be used: {error.strerror}.",
            hint="Name another one: `export PREFECT_HOME=FOLDER`.",
        ) from error
    if fault := _ask_for_health(temporary=True):
        raise PodiumError(f"Prefect's temporary server did not start: {fault} To see why, {_USE_ANOTHER}.")
    return None


def address_in_use() -> str:
    """Give the address of the server that flows of this process talk to: the configured one, or the temporary one."""
    from prefect.server.api.server import SubprocessASGIServer

    return str(PREFECT_API_URL.value() or SubprocessASGIServer().api_url)


def _ask_for_health(*, temporary: bool = False) -> Exception | None:
    """Ask the server that is configured, or a temporary one, which is started; say what is wrong."""
    try:
        if temporary:
            from prefect.server.api.server import SubprocessASGIServer

            patience = max(STARTUP_SECONDS, PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS.value())
            SubprocessASGIServer().start(patience)  # a client would have less
        with get_client(sync_client=True) as client:
            return client.api_healthcheck()
    except (ImportError, ValueError) as error:  # the client does not know a proxy's scheme, or lacks a package for it
        proxies = [name for name in os.environ if name.lower().endswith("_proxy") and name.lower() != "no_proxy"]
        if not proxies:
            return error
        unset = " ".join(f"-u {name}" for name in proxies)
        raise PodiumError(
            f"Prefect's client cannot use one of the proxies in {', '.join(proxies)}: {error} Expected http:// or "
            f"https://. Run without them: `env {unset} podium run`."
        ) from error
    except RuntimeError as error:  # the temporary server ended at once, or did not answer in time
        return error


def describe_origin(name: str, *other_names: str) -> tuple[str, str]:
    """Say where Prefect has a setting from.

    Args:
        name: the setting's: `PREFECT_API_URL`.
        other_names: by which environments and profiles may call it, too.

    Returns:
        The place, and what to type or do so that it counts no longer.
    """
    names = (name, *other_names)
    for variable in os.environ:
        if variable.upper() in names:
            return f"the environment variable {variable}", f"`unset {variable}`"
    profile = get_settings_context().profile
    for setting in profile.settings:
        if setting.name in names:
            place = f"the profile '{profile.name}' in {profile.source}"
            if "PREFECT_PROFILE" in os.environ:
                return f"{place}, which the environment variable PREFECT_PROFILE chooses", "`unset PREFECT_PROFILE`"
            return place, f"`prefect config unset {setting.name}`, or another profile, `prefect profile use NAME`"
    return "one of Prefect's files", f"`prefect config view --show-sources` names the file; take {name} out of it"
