"""The pipeline in time: Prefect flows over DVC's graph. Nothing here knows how a stage works."""
