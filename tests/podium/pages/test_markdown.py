import pytest
from markdown_it import MarkdownIt

from podium.pages.markdown import sentence
from tests.pages import Page
from tests.podium.evaluation.card.cards import HOSTILE


@pytest.mark.parametrize(
    "text",
    [
        *HOSTILE[2:],
        "# no heading",
        "1. no list",
        "- no list",
        "+ no list",
        "> said",
        "=",
        "*a* _b_ ~c~",
        "a | b",
        "&lt;",
    ],
)
def test_sentences_are_shown_as_they_are(text: str) -> None:
    page = Page(MarkdownIt("commonmark").enable("table").render(sentence(text.replace("`", ""))))
    assert page.tags == {"p"}
    assert page.text == text.replace("`", "")


def test_what_stands_between_backticks_is_code_and_a_single_one_is_none() -> None:
    render = MarkdownIt("commonmark").render
    assert render(sentence("type `podium promote digits/3 --why <b>`, then")) == (
        "<p>type <code>podium promote digits/3 --why &lt;b&gt;</code>, then</p>\n"
    )
    assert "<code>" not in render(sentence("a ` b <b>"))
