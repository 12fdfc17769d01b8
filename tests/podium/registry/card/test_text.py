import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from markdown_it import MarkdownIt

from podium.config import Gate
from podium.registry.card import describe_version, write_card
from podium.registry.decision import Decision, Pairs
from podium.registry.kept import KeptDecision
from tests.pages import Page
from tests.podium.evaluation.card.cards import HOSTILE
from tests.podium.registry.card import decisions

RUN = "c" * 32
ADDRESS = f"#/experiments/1/runs/{RUN}/artifacts/decisions/0007/index.html?workflowType=machine_learning"
PAIRS = decisions.make_pairs()


def write(folder: Path, kept: KeptDecision, pairs: Pairs | None = None) -> str:
    write_card(folder, kept, pairs, decisions.make_images)
    return (folder / "card.md").read_text(encoding="utf-8")


def render(text: str) -> Page:
    return Page(MarkdownIt("commonmark", {"html": True}).enable("table").render(text))


def test_the_verdict_and_its_reason_come_first_and_the_figures_next(tmp_path: Path) -> None:
    kept = decisions.promoted(PAIRS)
    lines = write(tmp_path, kept, PAIRS).splitlines()
    assert lines[0] == "# Promoted: digits-cnn becomes champion in place of digits-dense (version 2)"
    assert lines[2] == kept.decision.reason
    test = kept.decision.test
    assert test is not None
    row = next(line for line in lines if line.startswith("| accuracy"))
    for value in (test.champion, test.challenger):
        assert f"| {value:.4f} (" in row
    assert f"+{test.difference:.4f} (+{test.low:.4f} to +{test.high:.4f})" in row
    assert row.endswith("| at most 0.015 |")
    assert f"gained {test.gained}, lost {test.lost} (b = {test.gained}, c = {test.lost})" in "\n".join(lines)


def test_left_out_images_floors_and_vetoes_are_named_with_their_numbers(tmp_path: Path) -> None:
    text = write(tmp_path, decisions.harmed(PAIRS, left_out={"trained on by the champion": 1234}), PAIRS)
    assert "- trained on by the champion: 1,234 images" in text
    assert "| nine | 60 | 0.9500 | 0.7000 | 0.0021 | **veto** |" in text
    assert "1 class vetoes" in text
    assert "| latency | 3.20 ms | at most 4.20 ms, twice the champion's | yes |" in text


def test_the_budget_says_which_decision_it_is_what_it_could_spend_and_when_the_set_is_used_up(tmp_path: Path) -> None:
    alone = {"candidates": 1, "epochs": 1}
    text = write(tmp_path, decisions.promoted(PAIRS, number=4, **alone), PAIRS)
    for words in ("Decision 4 on these images", "it could spend 0.19%, and the next one 0.12%", "The rules allow 5%:"):
        assert words in text
    assert "To show a gain takes 1.9 times the images of a new set." in text
    assert "Refresh the set by decision 5" in text
    assert "The set is used up" in write(tmp_path, decisions.promoted(PAIRS, number=5, **alone), PAIRS)


def test_the_digest_is_of_the_set_of_images_whatever_their_order(tmp_path: Path) -> None:
    other = replace(PAIRS, digests=PAIRS.digests[::-1])
    assert other.digest == PAIRS.digest
    assert replace(PAIRS, digests=np.roll(PAIRS.digests, 1)[1:]).digest != PAIRS.digest
    text = write(tmp_path, decisions.promoted(PAIRS), PAIRS)
    assert f"sha256 `{PAIRS.digest}`" in text
    assert "`podium verify digits/3`" in text


@pytest.mark.parametrize(
    ("kept", "pairs", "command"),
    [
        (decisions.promoted(PAIRS), PAIRS, "mlflow models serve -m models:/digits@champion --env-manager local"),
        (decisions.promoted(PAIRS, rules=Gate(approval="person")), PAIRS, "podium promote digits/3"),
        (decisions.harmed(PAIRS), PAIRS, "podium compare digits/2 digits/3 --split validation"),
        (decisions.undecided(PAIRS), PAIRS, "podium run"),
        (decisions.below_floor(PAIRS), PAIRS, "podium run"),
        (decisions.incomparable(), None, "podium run"),
        (decisions.first(), None, "mlflow models serve -m models:/digits@champion --env-manager local"),
    ],
    ids=["promoted", "waiting", "harmed", "undecided", "below a floor", "incomparable", "first"],
)
def test_every_verdict_says_what_to_type_next(
    kept: KeptDecision, pairs: Pairs | None, command: str, tmp_path: Path
) -> None:
    text = write(tmp_path, kept, pairs)
    assert text.split("## Next")[1].count(f"\n    {command}\n") == 1
    assert describe_version(kept, RUN, ADDRESS).rstrip().endswith(f": `{command}`")
    Page(MarkdownIt().render(text))


def test_without_a_comparison_the_card_says_why(tmp_path: Path) -> None:
    assert "the first one needs the floors only" in write(tmp_path, decisions.first())
    text = write(tmp_path, decisions.incomparable())
    assert "not compared: the predictions of digits-dense (version 2) are gone" in text
    assert "## Images" not in text
    failed = Decision("keep", "floor", "It is too slow.", floors=decisions.FLOORS)
    text = write(tmp_path, decisions.keep(failed, champion=None, champion_measures=None))
    assert text.startswith("# Not promoted: digits-cnn does not become champion")


def test_what_is_missing_and_what_would_be_most_telling_is_said(tmp_path: Path) -> None:
    text = write(tmp_path, decisions.undecided(PAIRS), PAIRS)
    assert "It takes about 1,300 images more." in text
    assert re.search(r"The most telling are of \w+ \(\d+%\)", text)


def test_a_description_is_short_and_holds_verdict_metrics_image_and_card() -> None:
    kept = decisions.promoted(PAIRS)
    text = describe_version(kept, RUN, ADDRESS)
    page = render(text)
    assert len(text) < 1500
    assert text.startswith("Promoted: digits-cnn against digits-dense (version 2), decision 7")
    assert ("img", f"get-artifact?path=decisions/0007/differing.png&run_uuid={RUN}") in page.links
    assert ("a", ADDRESS) in page.links
    assert "table" in page.tags
    assert "macro F1 0.9459 0.9711 +0.0252" in page.text


@pytest.mark.parametrize("kept", [decisions.first(), decisions.incomparable()], ids=["first", "incomparable"])
def test_a_description_without_a_comparison_shows_no_image(kept: KeptDecision) -> None:
    assert "img" not in render(describe_version(kept, RUN, ADDRESS)).tags


def test_what_strangers_wrote_is_text_in_markdown_too(tmp_path: Path) -> None:
    pairs = decisions.make_pairs(classes=HOSTILE)
    kept = decisions.harmed(pairs, left_out=dict.fromkeys(HOSTILE, 3))
    kept = replace(kept, decision=replace(kept.decision, reason=" ".join(HOSTILE)), who=HOSTILE[0])
    for text in (write(tmp_path, kept, pairs), describe_version(kept, RUN, ADDRESS)):
        page = render(text)
        assert not {"script", "b", "title", "style"} & page.tags
        sheet = f"get-artifact?path=decisions/0007/differing.png&run_uuid={RUN}"
        assert {link for tag, link in page.links if tag == "img"} <= {sheet}
        assert {link for tag, link in page.links if tag == "a"} <= {ADDRESS}
        assert "\u202e" not in text
    rows = [line for line in write(tmp_path, kept, pairs).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} <= {5, 7}


def test_a_missed_floor_is_told_and_no_budget_that_was_not_spent(tmp_path: Path) -> None:
    kept = decisions.below_floor(PAIRS)
    text = write(tmp_path, replace(kept, decision=replace(kept.decision, test=None)), PAIRS)
    assert "A floor is not reached, so the two were not tested against each other." in text
    assert "| latency | 9.80 ms | at most 4.20 ms, twice the champion's | **no** |" in text
    assert "Budget" not in text
    assert PAIRS.digest in text
