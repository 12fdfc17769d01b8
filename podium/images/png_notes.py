"""What stands beside a PNG's pixels: nothing is unpacked that podium does not use."""

from typing import Final

from PIL import PngImagePlugin

MAX_NOTE_BYTES: Final = 1 << 24
"""16 MiB, packed or unpacked: a longer note about the orientation is left unread."""

_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_USED = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0", b"exif\0")
"""Texts that can say which way is up."""

PngImagePlugin.MAX_TEXT_CHUNK = MAX_NOTE_BYTES


def without_notes(data: bytes) -> bytes:
    """Take colour profiles and texts out of a PNG, apart from the first of each that can say which way is up.

    Pillow would unpack each, and refuse the image if one is large; some programs keep megabytes there.

    Args:
        data: the file, whole or not: from where it is not a PNG, it is left as it is.

    Returns:
        The file without them; itself if there are none.
    """
    kept, start, place = [], 0, 8
    used = set(_USED)
    while place + 12 <= len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        name = data[place + 4 : place + 8]
        if end > len(data) or name == b"IEND":
            break
        if name == b"iCCP" or name in _TEXT:
            key = next((key for key in used if data.startswith(key, place + 8)), None)
            if name == b"iCCP" or key is None or end - place > MAX_NOTE_BYTES:
                kept.append(data[start:place])
                start = end
            else:
                used.remove(key)
        place = end
    return b"".join((*kept, data[start:])) if kept else data
