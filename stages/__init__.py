"""The six DVC stages: files in, files out. They know nothing of Prefect or MLflow."""
