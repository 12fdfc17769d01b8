"""What strangers write means nothing in Markdown."""

from itertools import pairwise

import pytest
from markdown_it import MarkdownIt

from podium.pages.markdown import block, code, say

HOSTILE = [
    "`` ` ```",
    "a | b \\",
    "<script>alert(1)</script>",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "line\n\n# heading\r\n- item",
    "https://evil.example www.evil.example a@evil.example",
    "\u202egnp.exe",
    "\udc80half a character",
    "   ",
    "",
    "-" + "x" * 10_000 + "*",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("write", [code, say])
def test_a_text_is_one_code_span_also_in_a_table(write: object, text: str) -> None:
    span = write(text)  # type: ignore[operator]
    span.encode()
    assert len(span) < 300
    parser = MarkdownIt("commonmark").enable("table")
    (_, item, _) = parser.parse(f"before {span} after")
    assert [child.type for child in item.children or ()] in (["text", "code_inline", "text"], ["text"])
    if "code_inline" not in str(item.children):
        assert span == "(nothing)"
    tokens = parser.parse(f"| a | b |\n| --- | --- |\n| {span} | 1 |")
    cells = [after for token, after in pairwise(tokens) if token.type == "td_open"]
    assert [child.type for child in cells[0].children or ()] in (["code_inline"], ["text"])
    assert cells[1].content == "1"


@pytest.mark.parametrize("text", ["every image can be decoded in full", "at most 0.3 of each class", "left in train"])
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert say(text) == text


def test_a_message_of_several_lines_is_one_block() -> None:
    message = "first\n~~~\n```\n\n# heading\u2028<b>\n" + "x" * 10_000
    (token,) = MarkdownIt("commonmark").parse(block(message))
    assert token.type == "code_block"
    assert len(token.content) < 5_000
