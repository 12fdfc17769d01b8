"""Markdown for GitHub and Prefect that shows what strangers wrote as text, and as nothing else."""

import re

from podium.pages.html import printable

MAX_ITEMS = 5
"""Examples and ids in one list."""
MAX_CHARACTERS = 4000
"""Characters of a message; what is over is cut."""
_PLAIN = re.compile(r"(?:[^\W_]|[ ,;%'()-]|\.(?=\d|$))*")
"""Words that hold nothing that Markdown would take for more."""
_MARKS = re.compile(r"[\\`*_\[\]<>|~$&]|(?<=[A-Za-z]):(?=//)|(?<=www)\.", re.IGNORECASE)
"""What Markdown takes for more, wherever it stands; addresses become links by themselves."""
_START = re.compile(r"^(\s*)(?=[#+=-])|^(\s*\d+)(?=[.)])")
"""What it takes for more at a line's beginning."""


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


def sentence(text: str, longest: int = MAX_CHARACTERS) -> str:
    r"""Give sentences, in one line, that may hold names: what Markdown would take for more is escaped.

    What stands between two backticks is a code span.

    Example:
        >>> sentence("cnn_2 beats <b>: 0.98 > 0.97")
        'cnn\\_2 beats \\<b\\>: 0.98 \\> 0.97'
    """
    parts = printable(text, longest).split("`")
    if len(parts) % 2 == 0:
        return _START.sub(r"\g<0>\\", _MARKS.sub(r"\\\g<0>", "`".join(parts)))
    parts[::2] = [_MARKS.sub(r"\\\g<0>", some) for some in parts[::2]]
    parts[1::2] = [code(some) for some in parts[1::2]]
    return _START.sub(r"\g<0>\\", "".join(parts))


def block(text: str) -> str:
    """Give a text of several lines as a block of code."""
    return "\n".join(f"    {printable(line, MAX_CHARACTERS)}" for line in text[:MAX_CHARACTERS].splitlines())
