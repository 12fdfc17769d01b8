"""Loopback never goes through a proxy: Prefect's temporary server is there, often MLflow's, and the pages of the app.

`HTTP_PROXY` without `NO_PROXY` is common in companies.
"""

import os
from urllib.request import getproxies_environment

HOSTS = ("localhost", "127.0.0.1", "::1")


def spare_loopback() -> None:
    """Add this machine to `NO_PROXY`, for this process and those that it starts."""
    spared = [entry.strip() for entry in getproxies_environment().get("no", "").split(",") if entry.strip()]
    if "*" not in spared:
        spared += [host for host in HOSTS if host not in spared]
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(spared)
