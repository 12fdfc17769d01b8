"""A decision as it is kept: what was decided of which two versions, by what rules, by whom and when."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from podium.config import Gate
from podium.errors import PodiumError
from podium.files import save_json
from podium.registry.decision import Context, Decision, read_context, read_decision, to_dict

DECISION = "decision.json"
PAIRS = "pairs.parquet"
"""The files of a decision from which it can be decided again; the second only where two models were compared."""
FORMAT = 1
MAX_BYTES = 1 << 20
"""Bytes of a decision's file, at most: 1 MiB, a line for each of some thousand classes."""


@dataclass(frozen=True)
class KeptDecision:
    """A decision with all that was known when it was taken.

    Attributes:
        dataset: the registered model's name.
        number: its entry in the journal.
        challenger_version, challenger_run: who challenged.
        champion_version, champion_run: whom; None where there was no champion.
        rules: the gate's.
        context: what was known beside the pairs.
        decision: what came out.
        who: `ada@lovelace`.
        when: UTC, `2026-05-01T12:00:00+00:00`.
    """

    dataset: str
    number: int
    challenger_version: str
    challenger_run: str
    champion_version: str | None
    champion_run: str | None
    rules: Gate
    context: Context
    decision: Decision
    who: str
    when: str

    def save(self, folder: Path) -> None:
        """Write `decision.json` into a folder."""
        champion = None
        if self.champion_version is not None:
            champion = {"version": self.champion_version, "run_id": self.champion_run}
        content = {
            "format": FORMAT,
            "dataset": self.dataset,
            "journal": self.number,
            "challenger": {"version": self.challenger_version, "run_id": self.challenger_run},
            "champion": champion,
            "rules": asdict(self.rules),
            "context": to_dict(self.context),
            "decision": to_dict(self.decision),
            "who": self.who,
            "when": self.when,
        }
        save_json(content, folder / DECISION)


def load_kept(folder: Path) -> KeptDecision:
    """Read the decision in a folder.

    Raises:
        PodiumError: there is none, or none that this podium wrote.
    """
    path = folder / DECISION
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PodiumError(f"{path} has {path.stat().st_size:,} bytes. Expected at most {MAX_BYTES:,}.")
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise PodiumError(f"There is no {path}: expected a decision of the gate, as `podium run` keeps it.") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise PodiumError(f"{path} holds no decision that this podium wrote: {error}") from error


def _read(known: Mapping[str, Any]) -> KeptDecision:
    if known["format"] != FORMAT:
        raise ValueError(f"its format is {known['format']!r}, expected {FORMAT}.")
    champion = known["champion"] or {}
    return KeptDecision(
        dataset=known["dataset"],
        number=known["journal"],
        challenger_version=known["challenger"]["version"],
        challenger_run=known["challenger"]["run_id"],
        champion_version=champion.get("version"),
        champion_run=champion.get("run_id"),
        rules=Gate(**known["rules"]),
        context=read_context(known["context"]),
        decision=read_decision(known["decision"]),
        who=known["who"],
        when=known["when"],
    )
