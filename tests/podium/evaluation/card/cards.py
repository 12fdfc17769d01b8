"""Cards of made-up reports."""

from pathlib import Path
from typing import Any

from podium.evaluation.card.reading import Card, load_report
from podium.evaluation.confusions import count_confusions
from tests.reports import DATASET, NAME, make_report

HOSTILE = (
    "<script>alert(1)</script>",
    "\u202egpj.exe",
    "x" * 300,
    "</style></title><img src=https://example.org/x.png>",
    "{{ 7 * 7 }} | `code` [link](https://example.org) <b>",
    "$5 to $10",
)


def make_card(folder: Path, **how: Any) -> Card:
    """Make a report of `make_report`, and give what its card is made of."""
    made = make_report(folder, **how)
    test = made.predictions["test"]
    params = {"candidate.model.kind": "cnn", "schedule.phases.0.epochs": 20, "schedule.phases.0.name": "<i>fit"}
    return Card(
        name=NAME,
        dataset=DATASET,
        report=load_report(folder),
        predictions=test,
        confusions=count_confusions(test),
        splits=made.splits,
        histories=made.histories,
        params=params,
        digest="ab" * 32,
    )
