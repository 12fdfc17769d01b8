"""The pipeline in time: Prefect flows over DVC's graph. Nothing here knows how a stage works."""

import os

# Nobody is told what runs here, unless the environment says otherwise. Both look once, at import.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
