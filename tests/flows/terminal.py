"""What a person sees after a command has written to a terminal."""

import re

_TOKEN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")


def see(raw: str) -> list[str]:
    """Give the lines that are left on the terminal: moved over, overwritten and erased as Rich and tqdm ask for."""
    lines, row, column = [""], 0, 0
    for token in _TOKEN.finditer(raw):
        text, (number, command) = token[0], token.groups(default="")
        if text == "\r":
            column = 0
        elif text == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif command == "A":
            row = max(0, row - int(number or 1))
        elif command == "K":
            lines[row] = ""
        elif not command:
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    return [line.rstrip() for line in lines]
