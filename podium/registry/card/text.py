"""The card as Markdown: it can be read in a terminal, on GitHub and in MLflow."""

from collections.abc import Iterator, Mapping, Sequence

from podium.evaluation.card.numbers import DASH
from podium.pages.markdown import say, sentence
from podium.registry.card.budget import measure_budget
from podium.registry.card.differing import Kind, kind_words
from podium.registry.card.figures import Row, list_costs, list_figures, list_recalls, most_telling
from podium.registry.card.steps import missing_images, next_steps
from podium.registry.card.words import chance, count, figure, headline, is_open, moment, part, verdict, version_name
from podium.registry.decision import Floor, Pairs
from podium.registry.kept import DECISION, PAIRS, KeptDecision

MAX_HARMS = 20
"""Classes in a list."""
FLOORS = {True: "yes", False: "**no**", None: DASH}
LONGEST = 2000
"""Characters of a reason."""


def write_text(kept: KeptDecision, pairs: Pairs | None, counts: Mapping[Kind, int], digest: str) -> str:
    """Give `card.md`.

    Args:
        kept: the decision.
        pairs: what both models said; None where they were not compared.
        counts: how many images of each kind they disagree on.
        digest: of the images.
    """
    parts = [
        *_verdict(kept),
        *_figures(kept, pairs),
        *_images(kept, pairs, counts),
        *_classes(kept, pairs),
        *_floors(kept.decision.floors),
        *_budget(kept, pairs, digest),
        *_next(kept, pairs),
    ]
    return "\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give a table, the first column to the left and the others to the right; its cells are Markdown already."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(cell or ' ' for cell in row)} |"


def with_ends(value: str, ends: str) -> str:
    """Write a value and the ends of its interval."""
    return f"{value} ({ends})" if ends else value


def figure_rows(rows: Sequence[Row]) -> list[list[str]]:
    """Give the cells of the table of figures."""
    return [
        [
            row.title,
            with_ends(row.champion, row.champion_ends),
            with_ends(row.challenger, row.challenger_ends),
            with_ends(row.difference, row.difference_ends),
            row.p_value,
            row.needed,
        ]
        for row in rows
    ]


def _verdict(kept: KeptDecision) -> Iterator[str]:
    yield from (f"# {verdict(kept)}: {sentence(headline(kept), LONGEST)}", "")
    yield from (sentence(kept.decision.reason, LONGEST), "")
    against = f" against {say(kept.context.champion)}" if kept.context.champion else ""
    yield (
        f"Decision {kept.number:,} in the journal of {say(kept.dataset)}: {say(kept.context.challenger)}"
        f"{against}; {say(kept.who)}, {sentence(moment(kept.when))}."
    )


def _figures(kept: KeptDecision, pairs: Pairs | None) -> Iterator[str]:
    yield from ("", "## Figures", "")
    test = kept.decision.test
    if test is None:
        yield from (sentence(why_alone(kept), LONGEST), "")
    head = ("metric", "champion", "challenger", "difference", "p", "needed")
    yield from table(head, figure_rows([*list_figures(kept, pairs), *list_costs(kept)]))
    yield ""
    if test is not None:
        yield f"The first line decides. In brackets: 95% intervals; p is one-sided. Method: {sentence(test.method)}."
        yield "The other metrics are of the whole validation split and have no say. Nor has the test split."


def _images(kept: KeptDecision, pairs: Pairs | None, counts: Mapping[Kind, int]) -> Iterator[str]:
    context, test = kept.context, kept.decision.test
    if pairs is not None:
        yield from ("", "## Images", "")
        groups = count(len(set(pairs.groups.tolist())), "group of near-duplicates", "groups of near-duplicates")
        yield f"Compared on {count(len(pairs), 'image')} in {groups}; a group counts once."
        yield ""
        for kind, words in kind_words(kept.rules.metric).items():
            yield f"- {words}: {count(counts[kind], 'image')}"
        if test is not None:
            yield (
                f"- by groups: gained {test.gained:,}, lost {test.lost:,} (b = {test.gained:,}, c = {test.lost:,}); "
                "the others count for neither"
            )
    if context.left_out:
        yield from ("", "Left out:", "")
        yield from (f"- {sentence(why, LONGEST)}: {count(left, 'image')}" for why, left in context.left_out.items())


def _classes(kept: KeptDecision, pairs: Pairs | None) -> Iterator[str]:
    harms = kept.decision.harms
    if pairs is None:
        return
    yield from ("", "## Classes", "")
    shown = sum(harm.shown for harm in harms)
    if not harms:
        yield "On no class is the challenger shown to be worse."
    else:
        yield describe_harms(len(harms), shown)
        yield from (
            "",
            *table(
                ("class", "images", "recall of the champion", "of the challenger", "p, corrected", "veto"),
                [
                    [
                        say(harm.name),
                        f"{harm.images:,}",
                        figure(harm.champion),
                        figure(harm.challenger),
                        chance(harm.p_value),
                        "**veto**" if harm.shown else "no",
                    ]
                    for harm in harms[:MAX_HARMS]
                ],
            ),
        )
        if len(harms) > MAX_HARMS:
            yield from ("", f"and {len(harms) - MAX_HARMS:,} more, in `{DECISION}`")
    rows, _ = list_recalls(kept, pairs)
    better = [row for row in reversed(rows) if row.difference > 0][:3]
    if better:
        gains = ", ".join(f"{say(row.name)} ({figure(row.champion)} → {figure(row.challenger)})" for row in better)
        yield from ("", f"Most gained: {gains}.")


def describe_harms(worse: int, shown: int) -> str:
    """Say of how many classes the challenger finds fewer images, and of how many that vetoes."""
    fewer = f"The challenger finds fewer images of {count(worse, 'class', 'classes')}"
    if not shown:
        return f"{fewer}, by no more than chance might give: none vetoes."
    return f"{fewer}; {count(shown, 'class vetoes', 'classes veto')}: the harm is shown."


def _floors(floors: Sequence[Floor]) -> Iterator[str]:
    if floors:
        yield from ("", "## Floors", "", "What a challenger must reach whatever the champion does.", "")
        rows = [[say(one.name), say(one.value), say(one.limit), FLOORS[one.holds]] for one in floors]
        yield from table(("floor", "measured", "limit", "reached"), rows)


def _budget(kept: KeptDecision, pairs: Pairs | None, digest: str) -> Iterator[str]:
    if pairs is None:
        yield from ("", "## To check this", "")
    else:
        yield from ("", "## Budget and proof" if kept.decision.test else "## To check this", "")
        if kept.decision.test is not None:
            yield from (f"- {one}" for one in measure_budget(kept, len(pairs)).sentences)
            yield ""
        yield (f"The images: sha256 `{digest}`, of their sorted sha256s, one a line.")
    kept_files = f"`{DECISION}` and `{PAIRS}`" if pairs is not None else f"`{DECISION}`"
    yield f"`podium verify {_plain(version_name(kept))}` takes the decision again from {kept_files}, and compares."


def _next(kept: KeptDecision, pairs: Pairs | None) -> Iterator[str]:
    yield from ("", "## Next", "")
    if is_open(kept):
        yield from (*(sentence(one, LONGEST) for one in missing_words(kept, pairs)), "")
    for words, command in next_steps(kept):
        yield from (f"{sentence(words, LONGEST)}:", "", f"    {_plain(command)}", "")


def why_alone(kept: KeptDecision) -> str:
    """Say why two models were not compared."""
    if kept.context.incomparable:
        return f"The two were not compared: {kept.context.incomparable}"
    if kept.context.champion is None:
        return "There was no champion to compare with: the first one needs the floors only."
    if kept.decision.ground == "floor":
        return "A floor is not reached, so the two were not tested against each other."
    return "The two were not compared."


def missing_words(kept: KeptDecision, pairs: Pairs | None) -> list[str]:
    """Say what would decide it: labels to check, images to add, and which."""
    missing = missing_images(kept)
    sentences = [
        "Look at the labels in disagreements.html first: it costs least; a wrong one can count for the wrong model.",
        f"It takes {missing} more." if missing else "It is not known how many images more it takes.",
    ]
    if pairs is not None and (telling := most_telling(kept, pairs)):
        listed = ", ".join(f"{name} ({part(share)})" for name, share in telling)
        sentences.append(f"The most telling are of {listed}.")
    return sentences


def _plain(command: str) -> str:
    return command if command.isprintable() and "`" not in command else DASH
