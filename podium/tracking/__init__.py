"""The ledger: one MLflow run for each distinct training result, made from the files that the stages wrote."""

from podium.tracking.ledger import Ledger, Result, tracking_uri

__all__ = ["Ledger", "Result", "tracking_uri"]
