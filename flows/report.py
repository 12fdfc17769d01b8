"""What came of a retraining, for people: the reason, what was decided, the card, and what to type next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from flows.reasons import Reason
from podium.files import atomic_write
from podium.pages.markdown import code
from podium.registry.card.description import WIDE
from podium.registry.outcome import Outcome

FOLDER = Path("reports/retrain")
STAMP = "%Y-%m-%dT%H-%M-%S%z"
"""How a report's name begins: its time, also for `find_last`."""

Verdict = Literal["promoted", "kept", "undecided", "failed"]
SIGNS: dict[Verdict, str] = {"promoted": "✅", "kept": "➖", "undecided": "❔", "failed": "❌"}


@dataclass(frozen=True)
class Retrained:
    """What came of one dataset.

    Attributes:
        dataset: its name.
        verdict: in a word.
        text: in a sentence or two.
        command: what to type next; empty where there is nothing to do.
        card: the address of the decision's card; empty if there is none.
        description: of the version, in Markdown, as MLflow has it.
    """

    dataset: str
    verdict: Verdict
    text: str
    command: str = ""
    card: str = ""
    description: str = ""


def judge(dataset: str, outcome: Outcome | None, failure: str, description: str = "") -> Retrained:
    """Say in a word what came of a dataset, and what to do about it.

    Args:
        dataset: its name.
        outcome: of its challenge; None if there was none.
        failure: why the run failed; empty if it did not.
        description: of the version that challenged.
    """
    if outcome is None:
        text = failure or "There was nothing to promote."
        return Retrained(dataset, "failed" if failure else "kept", text, "podium run" * bool(failure))
    version = f"{dataset}/{outcome.version}"
    verdict: Verdict = "kept"
    command = f"podium history {dataset}"
    if outcome.promoted:
        verdict, command = "promoted", "podium serve"
    elif outcome.decision.verdict != "keep":
        verdict, command = "undecided", f"podium promote {version}"
    return Retrained(dataset, verdict, outcome.reason, command, outcome.card, description)


def write_report(title: str, reasons: Sequence[Reason], ended: Sequence[Retrained], notes: Sequence[str]) -> str:
    """Give the whole report in Markdown.

    Args:
        title: of the run.
        reasons: why it ran.
        ended: what came of each dataset.
        notes: what else a person should know: the commit, the branch with its command.
    """
    lines = [f"# Retraining {title}", "", "## Why", "", *(f"- **{one.kind}**: {one.text}" for one in reasons), ""]
    for one in ended:
        lines += [f"## {SIGNS[one.verdict]} {one.dataset}: {one.verdict}", "", one.text, ""]
        if one.command:
            undo = f" To undo it: {code(f'podium rollback {one.dataset}')}." * (one.verdict == "promoted")
            lines += [f"Next: {code(one.command)}.{undo}", ""]
        if one.card:
            lines += [f"[The card of the decision]({one.card})" if "://" in one.card else f"Card: {one.card}", ""]
        if one.description:
            described = one.description.replace(WIDE, "")  # for MLflow's tables; Prefect shows it as it is
            lines += ["### The version, as MLflow describes it", "", described, ""]
    return "\n".join([*lines, "## Notes", "", *(f"- {note}" for note in notes), ""])


def save_report(project: Path, title: str, text: str) -> Path:
    """Keep a report among the user's project's; give its place."""
    now = datetime.now().astimezone()
    path = project / FOLDER / f"{now:{STAMP}}-{title}.md"
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")
    return path


def find_last(project: Path) -> datetime | None:
    """Give the time of the newest report; None if there is none."""
    times = []
    for path in (project / FOLDER).glob("*.md"):
        try:
            times.append(datetime.strptime(path.name[:24], STAMP))
        except ValueError:
            continue  # a file of the user's
    return max(times, default=None)


def worst(ended: Sequence[Retrained]) -> Verdict:
    """Give the verdict that a run of several datasets is known by: the one that wants a person most."""
    order: list[Verdict] = ["failed", "undecided", "promoted", "kept"]
    return next((verdict for verdict in order if any(one.verdict == verdict for one in ended)), "kept")
