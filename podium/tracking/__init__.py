"""The ledger: one MLflow run for each distinct training result, made from the files that the stages wrote."""

from podium.tracking.connection import tracking_uri, training_view, where_to_look
from podium.tracking.ledger import Ledger
from podium.tracking.result import Result

__all__ = ["Ledger", "Result", "tracking_uri", "training_view", "where_to_look"]
