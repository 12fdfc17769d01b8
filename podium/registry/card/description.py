"""The description of a registered version, as MLflow's page of the registry shows it: short, it is read in a list."""

from collections.abc import Iterator
from urllib.parse import quote

from podium.pages.markdown import say, sentence
from podium.registry.card.figures import list_costs, list_figures
from podium.registry.card.steps import next_steps
from podium.registry.card.text import LONGEST, figure_rows, table
from podium.registry.card.words import chance, verdict
from podium.registry.kept import KeptDecision

SHEET = "differing.png"
WIDE = "&emsp;"
"""MLflow's tables have no room between their columns. (And its list of versions shows Markdown as it is written, so
that a description begins without any.)"""
LONGEST_REASON = 1500
"""Characters: PostgreSQL takes 5,000 of a description."""


def describe_version(kept: KeptDecision, run_id: str, page_address: str) -> str:
    """Describe a version by its decision.

    Args:
        kept: the decision.
        run_id: the run whose artifacts hold the card, in `decisions/NNNN/`.
        page_address: of the card's page, for a link.

    Returns:
        Markdown. The image is an artifact of the run: MLflow shows no others.
    """
    return "\n".join(_parts(kept, run_id, page_address)) + "\n"


def _parts(kept: KeptDecision, run_id: str, page_address: str) -> Iterator[str]:
    against = f" against {say(kept.context.champion)}" if kept.context.champion else ""
    yield f"{verdict(kept)}: {say(kept.context.challenger)}{against}, decision {kept.number:,}"
    yield from ("", sentence(kept.decision.reason, LONGEST_REASON), "")
    rows = figure_rows([*list_figures(kept, None), *list_costs(kept)])
    head = (*(f"{word}{WIDE}" for word in ("metric", "champion", "challenger")), "difference")
    yield from table(head, [row[:4] for row in rows])
    test = kept.decision.test
    if test is not None:
        yield from (
            "",
            f"{test.images:,} images in {test.groups:,} groups: gained {test.gained:,}, lost {test.lost:,}, "
            f"p {_is(chance(test.p_value))}, needed: at most {chance(test.threshold)}.",
        )
        if test.gained + test.lost or test.metric == "mean_iou":
            path = quote(f"decisions/{kept.number:04d}/{SHEET}", safe="/")
            where = f"get-artifact?path={path}&run_uuid={quote(run_id, safe='')}"
            yield from ("", f"![Images on which the two disagree]({where})")
    steps = next_steps(kept)
    yield from ("", f"[The card of the decision](<{quote(page_address, safe=':/?#&=%@+,;~')}>)", "")
    words, command = steps[0]
    yield f"{sentence(words, LONGEST)}: `{command.replace('`', '')}`"


def _is(p_value: str) -> str:
    return p_value if p_value.startswith("<") else f"= {p_value}"
