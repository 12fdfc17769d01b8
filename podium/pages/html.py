"""HTML pages that are one file and show what strangers wrote as text, and as nothing else."""

import base64
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined

SHARED = ("shell.html", "sections.html", "macros.html")
"""What all pages share, the head and the style; what long ones share; and what these put in, again and again."""
MAX_CHARACTERS = 240
"""Characters of a text; what is in the middle of a longer one is not shown."""


def write_html(
    package: str, template: str, values: dict[str, Any], filters: dict[str, Callable[..., Any]], path: Path
) -> None:
    """Fill a template in, and write the page.

    Args:
        package: where the template is.
        template: its file's name. It extends `shell.html`, which has the blocks title, style and body, or
            `sections.html`, which adds to the style.
        values: what it names.
        filters: functions that it uses, besides Jinja's own.
        path: the HTML file to be.
    """
    texts = {
        name: files(home).joinpath(name).read_text("utf-8")
        for home, name in (*((__package__, shared) for shared in SHARED), (package, template))
    }
    environment = Environment(
        loader=DictLoader(texts),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finish,
    )
    environment.filters |= filters
    path.write_text(environment.get_template(template).render(values), encoding="utf-8", newline="\n")


def printable(text: str, longest: int = MAX_CHARACTERS) -> str:
    """Give a text in one line and of some length, in characters, with the escapes of what cannot be printed."""
    text = shortened(text, longest)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def shortened(text: str, longest: int = MAX_CHARACTERS) -> str:
    """Give a text of some length, in characters, without the middle of a longer one."""
    return text if len(text) <= longest else f"{text[: longest // 2]} … {text[3 - longest // 2 :]}"


def clip(text: str, longest: int) -> str:
    """Give the beginning of a text, in characters, with the escapes of what cannot be printed.

    Example:
        >>> clip("armadillo", 5)
        'arma…'
    """
    text = printable(text, max(longest, 1) * 8)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _finish(value: object) -> object:
    """Give what a page may hold of a value that its template puts out; bytes as base64.

    File names can hold anything, half a character included.
    """
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return printable(value) if type(value) is str else value
