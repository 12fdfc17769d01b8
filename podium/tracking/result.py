"""A training result, as the ledger holds it."""

import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """A candidate's training result as the ledger holds it.

    Attributes:
        candidate: its name.
        run_id: its run in MLflow.
        model_id: its logged model in MLflow.
        metrics: by split, as `evaluate` wrote them.
        splits: the digest of the split manifest that they were measured on.
        is_new: the ledger did not have it before.
        page: the address of its report card among the run's artifacts; empty where MLflow is no server.
    """

    candidate: str
    run_id: str
    model_id: str
    metrics: dict[str, dict[str, float]]
    splits: str
    is_new: bool
    page: str = ""
