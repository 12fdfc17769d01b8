"""Markdown for GitHub and Prefect that shows what strangers wrote as text, and as nothing else."""

import re

from podium.pages.html import printable

MAX_ITEMS = 5
"""Examples and ids in one list."""
MAX_CHARACTERS = 4000
"""Characters of a message; what is over is cut."""
_PLAIN = re.compile(r"(?:[^\W_]|[ ,;%'()-]|\.(?=\d|$))*")
"""Words that hold nothing that Markdown would take for more."""


def code(text: object) -> str:
    """Give a text as a code span, in one line and of some length; fit for the cell of a table, too.

    Example:
        >>> code("<b>.png")
        '`<b>.png`'
    """
    safe = printable(str(text)).replace("`", r"\x60").replace("|", r"\x7c")
    return f"`{safe}`" if safe.strip() else "(nothing)"


def say(text: object) -> str:
    """Give a text as it is, if it is plain words; else as a code span."""
    plain = _PLAIN.fullmatch(str(text)) and str(text).strip()
    return printable(str(text)) if plain else code(text)


def block(text: str) -> str:
    """Give a text of several lines as a block of code."""
    return "\n".join(f"    {printable(line, MAX_CHARACTERS)}" for line in text[:MAX_CHARACTERS].splitlines())
