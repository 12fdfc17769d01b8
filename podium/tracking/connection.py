"""The connection to MLflow."""

import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)


def tracking_uri(root: Path) -> str:
    """Give MLflow's address: `MLFLOW_TRACKING_URI`, or a SQLite file in the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{root / 'mlflow.db'}"
