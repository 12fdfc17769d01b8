"""Texts on a screen."""


def harmless(text: str) -> str:
    """Give a text without what a terminal obeys, which a stranger's names may hold; its lines stay lines."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)
